import { parseAddress } from "./address.ts";
import { fieldsOf, parseValue } from "./registered.ts";

/** How an instance takes its requests, and the machine it says it is on. */
export interface InstanceValue {
  /** As a URL writes it: IPv6 in brackets. NATS subjects name no host. */
  readonly host?: string;
  /** Undefined where the value names neither. */
  readonly transportKind: "nats" | "tcp" | undefined;
}

/**
 * Reads the value under an instance key: `transport.nats_tcp` is a subject, `transport.tcp` (since 0.8.1)
 * `HOST:PORT/<id>/…`.
 */
export function parseInstanceValue(value: string): InstanceValue {
  const { tcp, nats_tcp } = fieldsOf(parseValue(value)?.transport);
  if (typeof tcp === "string") {
    const host = parseAddress(tcp.split("/", 1)[0]!)?.host;
    if (host === undefined) return { transportKind: "tcp" };
    return { transportKind: "tcp", host: host.includes(":") ? `[${host}]` : host };
  }
  return { transportKind: typeof nats_tcp === "string" ? "nats" : undefined };
}
