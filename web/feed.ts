import { createParser } from "eventsource-parser";
import { StreamRefusal, whyRefused } from "./refusal.ts";

/**
 * How long a stream may say nothing before it is opened anew: the machine at its other end may be gone without a word. The
 * server says something every 5 s.
 */
const QUIET_MS = 10_000;
/** How long a new stream may take to say the state. */
const OPEN_MS = 5_000;
/** How long a stream that worked may be away before that is a loss: proxies end streams, and the next one works. */
const GRACE_MS = 3_000;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 5_000;

/** What the messages of the stream are called (docs/api.md). */
export type FeedEvent = "state" | "change" | "alive";

export interface FeedListener {
  /** Takes one message, which is JSON. If it throws, a new stream begins with the whole state. */
  onMessage(event: FeedEvent, data: string): void;
  /**
   * Called with a sentence that says why when the stream is lost: none begins, or none that can be read. It is over at the
   * next `state`. That a stream ends which has worked is no loss if the next one works.
   */
  onLost(why: string): void;
}

/** A stream that is read until it is paused. */
export interface Feed {
  pause(): void;
  /** Opens the stream at once, if it is not open. */
  resume(): void;
}

export const UNREADABLE =
  "What the server says cannot be read here. It may be newer than this page: reload it.";

/** Reads `api/v1/stream` for ever: a stream that ends, fails or falls quiet is opened again. */
export function startFeed(listener: FeedListener): Feed {
  let retryMs = RETRY_MS;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let grace: ReturnType<typeof setTimeout> | undefined;
  let stop: (() => void) | undefined;
  open();
  return {
    pause() {
      clearTimeout(retry);
      clearTimeout(grace);
      stop?.();
    },
    resume() {
      if (stop === undefined) open();
    },
  };

  function open(): void {
    clearTimeout(retry);
    const ending = new AbortController();
    /** It has said the state, and more after it: a state alone comes of any server. */
    let hasState = false, isWell = false;
    let limit = setTimeout(() => end(`No data came for ${OPEN_MS / 1_000} s.`), OPEN_MS);
    stop = () => {
      clearTimeout(limit);
      ending.abort();
      stop = undefined;
    };
    readStream(ending.signal, take).then(
      () => end("The server ended the stream."),
      (error) => end(error instanceof StreamRefusal ? error.message : "The connection to the server broke."),
    );

    function end(why: string): void {
      if (ending.signal.aborted) return;
      stop!();
      if (!hasState) lose(why);
      else grace ??= setTimeout(lose, GRACE_MS, why);
      if (isWell) open();
      else openLater();
    }

    /** What cannot be taken leaves a picture that is wrong: another stream begins with the whole. */
    function take(event: FeedEvent, data: string): void {
      if (ending.signal.aborted) return;
      clearTimeout(limit);
      limit = setTimeout(() => end(`No data came for ${QUIET_MS / 1_000} s.`), QUIET_MS);
      try {
        listener.onMessage(event, data);
      } catch (error) {
        reportError(error);
        stop!();
        lose(UNREADABLE);
        openLater();
        return;
      }
      if (event === "state") {
        hasState = true;
        clearTimeout(grace);
        grace = undefined;
      } else {
        isWell = true;
        retryMs = RETRY_MS;
      }
    }
  }

  function lose(why: string): void {
    clearTimeout(grace);
    grace = undefined;
    listener.onLost(why);
  }

  function openLater(): void {
    retry = setTimeout(open, retryMs);
    retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 1.5);
  }
}

/**
 * Gives each message to `take` until the stream ends.
 *
 * @throws {StreamRefusal} if there is no stream
 * @throws what `fetch` throws if it breaks
 */
async function readStream(
  signal: AbortSignal,
  take: (event: FeedEvent, data: string) => void,
): Promise<void> {
  const parser = createParser({ onEvent: ({ event, data }) => take(event as FeedEvent, data) });
  const decoder = new TextDecoder();
  const response = await fetch("api/v1/stream", { signal, redirect: "manual", cache: "no-store" })
    .catch((cause) => {
      throw new StreamRefusal("The server cannot be reached.", { cause });
    });
  const why = await whyRefused(response);
  if (why !== undefined) throw new StreamRefusal(why);
  const reader = response.body!.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parser.feed(decoder.decode(part.value, { stream: true }));
  }
}
