import { type Feed, type FeedListener, UNREADABLE } from "./feed.ts";
import { startOwnFeed } from "./own_feed.ts";
import type { FromTab, ToTab } from "./shared_stream.ts";

/** By its name a tab finds the worker that runs the same code: the page's build puts its fingerprint in. */
declare const FEED_WORKER_NAME: string;

/** How long the worker may say nothing before it is asked for the state, and again before it is given up. */
const QUIET_MS = 20_000;
/** How long after a message that cannot be taken the state is asked for. */
const AGAIN_MS = 2_000;

/**
 * Reads the stream that all tabs of the page share. Without a shared worker, or if it cannot be loaded or is gone, this tab
 * reads one of its own.
 */
export function joinFeed(listener: FeedListener): Feed {
  let own: Feed | undefined;
  let port: MessagePort | undefined;
  let watch: ReturnType<typeof setTimeout> | undefined;
  join();
  return {
    pause() {
      leave();
      own?.pause();
    },
    resume() {
      if (own !== undefined) own.resume();
      else if (port === undefined) join();
    },
  };

  function join(): void {
    try {
      const worker = new SharedWorker("feed_worker.js", { name: FEED_WORKER_NAME });
      worker.onerror = alone;
      port = worker.port;
      port.onmessage = ({ data }) => hear(data);
      isHeard();
    } catch {
      alone(); // The browser has none, or does not allow it.
    }
  }

  function hear(told: ToTab): void {
    isHeard();
    if ("lost" in told) listener.onLost(told.lost);
    else {
      try {
        listener.onMessage(told.event, told.data);
      } catch (error) {
        reportError(error);
        listener.onLost(UNREADABLE);
        setTimeout(say, AGAIN_MS, "again");
        return;
      }
    }
    say("took");
  }

  function say(what: FromTab): void {
    port?.postMessage(what);
  }

  function isHeard(): void {
    clearTimeout(watch);
    watch = setTimeout(() => {
      say("again");
      watch = setTimeout(alone, QUIET_MS);
    }, QUIET_MS);
  }

  function leave(): void {
    clearTimeout(watch);
    say("bye");
    port?.close();
    port = undefined;
  }

  function alone(): void {
    leave();
    own ??= startOwnFeed(listener);
  }
}
