import type { Load } from "../dynamo/load.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { PageNumbers, RankName } from "../dynamo/worker_page.ts";
import type { Instant } from "../timing.ts";

/** The ways by which a worker is seen. */
export const CHANNELS = ["stats", "event_nats", "event_zmq", "http", "card"] as const;
export type Channel = typeof CHANNELS[number];

/** What came without asking, or on its page, of one rank of a worker, or of its whole engine. */
export interface Observation {
  readonly worker: WorkerId;
  readonly dpRank: RankName;
  readonly at: Instant;
  readonly channel: Channel;
  /** The connection it came by: what ends with it is no longer known to be true. */
  readonly via: string;
  /** The targets whose workers alone have the way by which it came; undefined if all of the namespace may have it. */
  readonly targets: ReadonlySet<Target> | undefined;
  readonly said: Said;
}

/** What a worker says of itself, or a router thinks of it (`router`). */
export type Said =
  | { readonly kind: "load"; readonly load: Load }
  | { readonly kind: "blocks"; readonly usedBlocks: number }
  /** A pass that has ended. A sign of life as well: an idle rank sends heartbeats in its place. */
  | { readonly kind: "forward_pass"; readonly running: number; readonly waiting: number }
  /** No pass has ended for a second; of requests it says nothing. */
  | { readonly kind: "heartbeat" }
  /** A sign of life as well: it is asked for regularly. */
  | { readonly kind: "page"; readonly numbers: PageNumbers }
  | {
    readonly kind: "router";
    readonly router: string;
    readonly activeDecodeBlocks: number | undefined;
    readonly activePrefillTokens: number | undefined;
  };
