import type { Connection } from "../../lib/fleet/snapshot.ts";
import type { Instant } from "../../lib/timing.ts";

const START: Instant = { monotonicMs: 1, epochMs: 1_000_001 };

/** NATS as a Snapshot has it: connected, unless said otherwise. */
export function natsConnection(more: Partial<Connection> = {}): Connection {
  return { role: "nats", name: "NATS", kind: "nats", ...UP, reconnects: 0, ...more };
}

/** A store as a Snapshot has it: a connected etcd, unless said otherwise. */
export function storeConnection(more: Partial<Connection> = {}): Connection {
  return { role: "store", name: "etcd", kind: "etcd", ...UP, ...more };
}

export const AWAY = {
  connected: false,
  reason: "why",
  since: { monotonicMs: 5, epochMs: 1_000_005 },
} as const;
const UP = { connected: true, reason: undefined, since: START } as const;
