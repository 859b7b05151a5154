import type { Alive, Change, Fleet } from "../lib/exposition/api_v1.ts";

/**
 * How long a stream may say nothing before it is opened anew: the machine at its other end may be gone without a word. The
 * server says something every 5 s.
 */
const QUIET_MS = 10_000;
/** How long a new stream may take to say the state. */
const OPEN_MS = 5_000;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 5_000;

export interface FeedListener {
  onState(fleet: Fleet & Alive): void;
  onChange(change: Change & Alive): void;
  onAlive(alive: Alive): void;
  /** Called at each failure. It is over when `onState` is called. */
  onLost(): void;
}

/** Reads `/api/v1/stream` for ever: a stream that ends, fails or falls quiet is opened again. */
export function startFeed(listener: FeedListener): void {
  let retryMs = RETRY_MS;
  open();

  function open(): void {
    const source = new EventSource("api/v1/stream");
    let limit = setTimeout(fail, OPEN_MS);

    function fail(): void {
      close();
      listener.onLost();
      setTimeout(open, retryMs);
      retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 1.5);
    }

    function close(): void {
      clearTimeout(limit);
      source.close();
    }

    function heard(): void {
      clearTimeout(limit);
      limit = setTimeout(() => {
        close();
        open();
      }, QUIET_MS);
    }

    /** A state alone comes of any server; what follows it has to be taken too. */
    function isWell(): void {
      retryMs = RETRY_MS;
    }

    source.onerror = fail;
    on("state", (fleet: Fleet & Alive) => listener.onState(fleet));
    on("change", (change: Change & Alive) => {
      listener.onChange(change);
      isWell();
    });
    on("alive", (alive: Alive) => {
      listener.onAlive(alive);
      isWell();
    });

    /** What cannot be taken leaves a picture that is wrong: another stream begins with the whole. */
    function on<Message>(event: string, take: (message: Message) => void): void {
      source.addEventListener(event, ({ data }) => {
        heard();
        try {
          take(JSON.parse(data));
        } catch (error) {
          reportError(error);
          fail();
        }
      });
    }
  }
}
