import type { Load } from "../dynamo/load.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { Instant } from "../timing.ts";

/** The ways by which a worker is seen. */
export const CHANNELS = ["stats", "event_nats", "event_zmq", "card"] as const;
export type Channel = typeof CHANNELS[number];

/** What came without asking, of one rank of a worker. */
export interface Observation {
  readonly worker: WorkerId;
  readonly dpRank: number;
  readonly at: Instant;
  readonly channel: Channel;
  /** The connection it came by: what ends with it is no longer known to be true. */
  readonly via: string;
  readonly said: Said;
}

/** What a worker says of itself (`load`, `blocks`, `forward_pass`), or a router thinks of it. */
export type Said =
  | { readonly kind: "load"; readonly load: Load }
  | { readonly kind: "blocks"; readonly usedBlocks: number }
  /** A heartbeat as well: it comes once a second from an idle rank. */
  | { readonly kind: "forward_pass"; readonly running: number; readonly waiting: number }
  | {
    readonly kind: "router";
    readonly router: string;
    readonly activeDecodeBlocks: number | undefined;
    readonly activePrefillTokens: number | undefined;
  };
