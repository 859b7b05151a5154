import type { Connection, Fleet } from "../exposition/api_v1.ts";

/** A connection as people are told of it. */
export type ToldConnection = Pick<Connection, "name" | "kind" | "connected" | "reason">;

/** What the API tells of connections, in a state or a change. */
type Told = { readonly [Name in "connections" | "nats" | "etcd"]?: Fleet[Name] | undefined };

/** NATS and the store, in this order, as far as they are used. A program before 0.4 tells less of them. */
export function serversOf({ connections, nats, etcd }: Told): readonly ToldConnection[] {
  if (connections !== undefined) return connections.filter(({ kind }) => kind !== "zmq");
  return [
    ...nats ? [{ name: "NATS", kind: "nats", connected: nats.connected }] : [],
    ...etcd ? [{ name: etcd.kind === "file" ? "file store" : "etcd", ...etcd }] : [],
  ];
}

/** The store that lists the workers; undefined if none is used. */
export function storeOf(fleet: Told): ToldConnection | undefined {
  return serversOf(fleet).find(({ kind }) => kind !== "nats");
}
