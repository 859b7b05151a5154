import type { NatsConnection } from "nats";

/** What npm:nats says of itself in `nats-base-client/{nats,protocol,parser}.d.ts`. */
export interface NatsInner {
  parser: NatsParser;
  /** What the server said of itself last, also once the connection is closed. */
  readonly info?: { readonly connect_urls?: unknown };
}

export interface NatsParser {
  /** 0 between two frames. */
  readonly state: number;
  parse(bytes: Uint8Array): void;
}

/** @throws when npm:nats is another one inside than it was in 2.29 */
export function innerOf(connection: NatsConnection): NatsInner {
  const { protocol } = connection as unknown as { protocol?: Partial<NatsInner> };
  if (protocol?.parser?.parse === undefined) {
    throw new Error("npm:nats has changed inside: see transport/nats_inner.ts");
  }
  return protocol as NatsInner;
}
