import { type Feed, type FeedListener, startFeed } from "./feed.ts";

/** How often a tab that nobody sees reads the state, so that its title stays right. */
const HIDDEN_MS = 30_000;

/**
 * A stream of this tab alone. A browser opens six connections to a server, for all its tabs together: a tab that nobody sees
 * holds none, and reads the state now and then.
 */
export function startOwnFeed(listener: FeedListener): Feed {
  let isPaused = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const feed = startFeed({
    onMessage(event, data) {
      listener.onMessage(event, data);
      if (document.hidden) rest();
    },
    onLost: (why) => listener.onLost(why),
  });
  document.addEventListener("visibilitychange", () => {
    if (isPaused) return;
    if (document.hidden) rest();
    else wake();
  });
  return {
    pause() {
      isPaused = true;
      clearTimeout(timer);
      feed.pause();
    },
    resume() {
      isPaused = false;
      wake();
    },
  };

  function rest(): void {
    clearTimeout(timer);
    feed.pause();
    timer = setTimeout(wake, HIDDEN_MS);
  }

  function wake(): void {
    clearTimeout(timer);
    feed.resume();
  }
}
