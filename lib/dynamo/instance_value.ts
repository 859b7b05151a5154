import { parseAddress } from "./address.ts";
import { fieldsOf, parseValue } from "./registered.ts";
import { ANY_RELEASE, type Releases, releases } from "./release.ts";

/** What the value under an instance key tells of the worker. */
export interface InstanceValue {
  /** The machine it says it is on, as a URL writes it: IPv6 in brackets. NATS subjects name no host. */
  readonly host?: string;
  /** Of which it can be, by what the value has. */
  readonly releases: Releases;
}

/**
 * Reads a value of the keys below `v1/`: `transport.nats_tcp` is a subject, `transport.tcp` (since 0.8.1)
 * `HOST:PORT/<id>/<endpoint>`, in 1.6.1 `HOST:PORT/<id>/<ns>/<component>/<endpoint>`. `type` is there since 0.6.1,
 * `device_type` in 1.2.1, `request_plane_codec` in 1.4.2; of the releases between, some were not looked at.
 */
export function parseInstanceValue(value: string): InstanceValue {
  const fields = parseValue(value);
  if (fields === undefined) return { releases: ANY_RELEASE };
  const { tcp } = fieldsOf(fields.transport);
  const has = (name: string) => fields[name] !== undefined;
  const possible = has("type")
    ? (has("device_type") ? releases("1.1.1") : releases("0.6.1", "1.1.1")) &
      (has("request_plane_codec") ? releases("1.3.1") : releases("0.6.1", "1.3.1"))
    : releases("0.6.0", "0.6.0");
  if (typeof tcp !== "string") return { releases: possible };
  const [address, ...path] = tcp.split("/");
  const host = parseAddress(address!)?.host;
  return {
    ...(host !== undefined && { host: host.includes(":") ? `[${host}]` : host }),
    releases: possible & (path.length > 2 ? releases("1.5.1") : releases("0.8.1", "1.5.1")),
  };
}
