import type { Connection, Fleet } from "../exposition/api_v1.ts";

/** A connection as people are told of it. */
export interface ToldConnection extends Pick<Connection, "name" | "kind" | "connected" | "reason"> {
  /** It is not connected, and something needs it. */
  readonly isMissed: boolean;
}

/** What the API tells of connections, in a state or a change. */
type Told = {
  readonly [Name in "connections" | "nats" | "etcd" | "finding_counts"]?: Fleet[Name] | undefined;
};

/** NATS and the store, in this order, as far as they are used. A program before 0.4 tells less of them. */
export function serversOf(told: Told): readonly ToldConnection[] {
  return connectionsOf(told).map((connection) => ({
    ...connection,
    isMissed: !connection.connected && !(connection.kind === "nats" && told.finding_counts?.nats_not_needed),
  }));
}

function connectionsOf({ connections, nats, etcd }: Told): readonly Omit<ToldConnection, "isMissed">[] {
  if (connections !== undefined) return connections.filter(({ kind }) => kind !== "zmq");
  return [
    ...nats ? [{ name: "NATS", kind: "nats", connected: nats.connected }] : [],
    ...etcd ? [{ name: etcd.kind === "file" ? "file store" : "etcd", ...etcd }] : [],
  ];
}
