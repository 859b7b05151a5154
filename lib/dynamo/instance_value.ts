import { parseAddress } from "./address.ts";
import { fieldsOf, parseValue } from "./registered.ts";
import { ANY_RELEASE, type Releases, releases } from "./release.ts";
import type { Target } from "./target.ts";
import { type WorkerId, workerIdToHex } from "./worker_id.ts";

/** What the value under an instance key tells of the worker. */
export interface InstanceValue {
  /** The machine it says it is on, as a URL writes it: IPv6 in brackets. A NATS subject (`nats_tcp`) names no host. */
  readonly host?: string;
  /** It takes requests on NATS, and so answers there. */
  readonly isOnNats?: true;
  /** Of which it can be, by what the value has. */
  readonly releases: Releases;
}

/**
 * Reads a value of the keys below `v1/`: `transport.nats_tcp` is a subject, `transport.tcp` (since 0.8.1)
 * `HOST:PORT/<id>/<endpoint>`, in 1.6.1 `HOST:PORT/<id>/<ns>/<component>/<endpoint>`, `transport.http` (with
 * `DYN_REQUEST_PLANE=http`, which 1.6.1 no longer takes) `http://HOST:PORT/v1/rpc/<endpoint>`. `type` is there since 0.6.1,
 * `device_type` in 1.2.1, `request_plane_codec` in 1.4.2; of the releases between, some were not looked at.
 */
export function parseInstanceValue(value: string): InstanceValue {
  const fields = parseValue(value);
  if (fields === undefined) return { releases: ANY_RELEASE };
  const { tcp, http, nats_tcp } = fieldsOf(fields.transport);
  const has = (name: string) => fields[name] !== undefined;
  const possible = has("type")
    ? (has("device_type") ? releases("1.1.1") : releases("0.6.1", "1.1.1")) &
      (has("request_plane_codec") ? releases("1.3.1") : releases("0.6.1", "1.3.1"))
    : releases("0.6.0", "0.6.0");
  if (typeof nats_tcp === "string") return { isOnNats: true, releases: possible };
  if (typeof tcp === "string") {
    const path = tcp.split("/").slice(1);
    return {
      ...hostOf(tcp),
      releases: possible & (path.length > 2 ? releases("1.5.1") : releases("0.8.1", "1.5.1")),
    };
  }
  const [, address] = typeof http === "string" ? /^https?:\/\/(.*)$/.exec(http) ?? [] : [];
  return { ...(address !== undefined && hostOf(address)), releases: possible };
}

/**
 * Of `HOST:PORT/…`. Some releases write IPv6 without brackets (`utils/ip_resolver.rs`): the port is what follows the last
 * colon. An address that means every interface of a machine does not say which machine it is.
 */
function hostOf(text: string): { readonly host?: string } {
  const address = text.split("/")[0]!.replace(/^([\da-fA-F]*:[\da-fA-F:.]*):(\d+)$/, "[$1]:$2");
  const host = parseAddress(address)?.host;
  if (host === undefined || host === "0.0.0.0" || host === "::") return {};
  return { host: host.includes(":") ? `[${host}]` : host };
}

/** How releases write the value; `id` is a JSON integer of 64 bits in all of them. */
export type InstanceValueForm =
  /** Pretty-printed, the id under this name: `lease_id` to 0.2.1, `instance_id` to 0.6.0. */
  | { readonly kind: "pretty"; readonly idField: "lease_id" | "instance_id" }
  /** In one line, since 0.6.1. `with` names what was added: the device in 1.2.1, the codec in 1.4.2. */
  | { readonly kind: "compact"; readonly with: readonly (keyof typeof ADDED)[] };

const ADDED = { device_type: "cuda", request_plane_codec: "msgpack" } as const;

/** Where an instance takes requests: at a subject of NATS, or at an address (see {@link tcpPath}). */
export type InstanceTransport = { readonly nats_tcp: string } | { readonly tcp: string };

/** The value under an instance key, as a worker of that form writes it. */
export function instanceValue(
  target: Target,
  options: { form: InstanceValueForm; id: WorkerId; transport: InstanceTransport },
): string {
  const { form, id, transport } = options;
  const { component, endpoint, namespace } = target;
  const isPretty = form.kind === "pretty";
  const idField = isPretty ? form.idField : "instance_id";
  const fields = {
    ...(!isPretty && { type: "Endpoint" }),
    component,
    endpoint,
    namespace,
    [idField]: 0,
    transport,
    ...(!isPretty && Object.fromEntries(form.with.map((field) => [field, ADDED[field]]))),
  };
  const text = JSON.stringify(fields, null, isPretty ? 2 : undefined);
  return text.replace(new RegExp(`("${idField}": ?)0`), (_, name) => name + id);
}

/** What follows `HOST:PORT/` in `transport.tcp`: id and endpoint, in 1.6.1 the whole target after the id. */
export function tcpPath(form: "endpoint" | "target", target: Target, id: WorkerId): string {
  const { namespace, component, endpoint } = target;
  const path = form === "endpoint" ? endpoint : `${namespace}/${component}/${endpoint}`;
  return `${workerIdToHex(id)}/${path}`;
}
