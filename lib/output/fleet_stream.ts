import { API_HEADERS, apiError } from "./api_answer.ts";
import { type Clock, systemClock } from "../timing.ts";
import { Broadcast, type SnapshotSource } from "./broadcast.ts";
import type { FleetBytes } from "./fleet_route.ts";

/**
 * Proxies are to pass on each event as it comes: nginx keeps what is small in its buffer unless it is told not to
 * (https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering), and what compresses waits for more.
 */
const STREAM_HEADERS = {
  ...API_HEADERS,
  "content-type": "text/event-stream",
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
};

export interface FleetStreamOptions {
  readonly snapshots: SnapshotSource;
  readonly fleets: Pick<FleetBytes, "of">;
  /** The system's when left out. */
  readonly clock?: Clock;
  /** The shortest time between two messages; 1 s when left out. */
  readonly periodMs?: number;
  /** After how long without a message one says that the stream is alive; 5 s when left out. */
  readonly keepAliveMs?: number;
  /** After how long a reader is ended that takes nothing of what it was given; 60 s when left out. */
  readonly stuckMs?: number;
  /** How many may read at once; 100 when left out. */
  readonly maxReaders?: number;
}

/**
 * `/api/v1/stream`: server-sent events, the state first, then what changed. Nothing is made while nobody reads. Disposing
 * ends the streams that are there, and takes no new ones.
 */
export class FleetStream implements Disposable {
  readonly #options: Required<FleetStreamOptions>;
  #broadcast: Broadcast | undefined;
  #isEnded = false;

  constructor(options: FleetStreamOptions) {
    this.#options = {
      clock: systemClock,
      periodMs: 1_000,
      keepAliveMs: 5_000,
      stuckMs: 60_000,
      maxReaders: 100,
      ...options,
    };
  }

  answer(): Response {
    const { maxReaders } = this.#options;
    if (this.#isEnded) return apiError(503, "the program is stopping");
    if (this.#broadcast !== undefined && this.#broadcast.size >= maxReaders) {
      return apiError(
        503,
        `${maxReaders} streams are open, and no more are served; close one, or come again`,
      );
    }
    const broadcast = this.#broadcast ??= this.#begin();
    return new Response(broadcast.open(), { headers: STREAM_HEADERS });
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    this.#broadcast?.[Symbol.dispose]();
  }

  /** One for the readers that come until there is none left. */
  #begin(): Broadcast {
    const broadcast = new Broadcast({
      ...this.#options,
      onEmpty: () => {
        if (this.#broadcast === broadcast) this.#broadcast = undefined;
      },
    });
    return broadcast;
  }
}
