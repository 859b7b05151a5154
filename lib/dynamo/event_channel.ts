import { type Address, parseAddress } from "./address.ts";
import { type Fields, fieldsOf, parseValue, type Registered, registeredId, textOf } from "./registered.ts";
import { type Releases, releases } from "./release.ts";
import { isName } from "./target.ts";
import { type WorkerId, workerIdFromDecimal, workerIdToHex } from "./worker_id.ts";

/** Where one publisher sends the events of one topic, as releases since 0.9.1 register it. */
export interface EventChannel {
  readonly key: string;
  readonly topic: string;
  readonly namespace: string;
  /** Undefined for a channel of the whole namespace. */
  readonly component: string | undefined;
  /** Named since 1.4. */
  readonly endpoint: string | undefined;
  /**
   * Whose it is, as far as etcd tells: the key's lease, else (before 1.4) the publisher. Without leases that is wrong for
   * 1.3, whose publishers are random and whose keys look like those before: believe it where such a worker is.
   */
  readonly owner: WorkerId | undefined;
  /** The publisher's id in the envelopes of its events, decimal. */
  readonly publisher: WorkerId;
  readonly transport: EventTransport;
  /** Of which its publisher can be, by the key's form. */
  readonly releases: Releases;
}

export type EventTransport =
  | { readonly kind: "nats"; readonly subject: string }
  | { readonly kind: "zmq" } & Address;

const PREFIX = "v1/event_channels/";

/**
 * The keys before the channels of a namespace: those of 0.9.1 to 1.3.1 and of 1.4 on. Below them are also channels of
 * namespaces whose name goes on after a `/`, and for the namespace `namespace` of all.
 */
export function eventChannelPrefixes(namespace: string): readonly string[] {
  return [`${PREFIX}${namespace}/`, `${PREFIX}namespace/${namespace}/`];
}

/**
 * Reads a channel's key, value and lease (decimal; undefined or 0 where it has none). Undefined for what is none of the
 * forms seen: `<ns>/<component or empty>/<topic>/<id>` to 1.3.1, since then the scope of an endpoint,
 * `namespace/<ns>/component/<c>/endpoint/<e>/topic/<topic>/<id>`; or for a subject or address that cannot be one.
 */
export function parseEventChannel(
  { key, value, lease }: Registered & { readonly lease: string | undefined },
): EventChannel | undefined {
  const fields = parseValue(value);
  if (fields === undefined || !key.startsWith(PREFIX)) return undefined;
  const publisher = registeredId(key, fields);
  const topic = textOf(fields.topic);
  const scope = parseScope(fields);
  if (publisher === undefined || topic === undefined || scope === undefined) return undefined;
  const transport = parseTransport(fieldsOf(fields.transport), topic);
  if (transport === undefined) return undefined;
  const leaseholder = lease === undefined || lease === "0" ? undefined : workerIdFromDecimal(lease);
  const owner = leaseholder ?? (scope.endpoint === undefined ? publisher : undefined);
  const possible = releasesOf(scope, { leaseholder, publisher });
  return { key, topic, ...scope, owner, publisher, transport, releases: possible };
}

/** Publishers are the workers themselves to 1.2.1, have ids of their own in 1.3.1, and name their endpoint since 1.4.2. */
function releasesOf(
  { endpoint }: Scope,
  { leaseholder, publisher }: { leaseholder: WorkerId | undefined; publisher: WorkerId },
): Releases {
  if (endpoint !== undefined) return releases("1.4.2");
  if (leaseholder === undefined) return releases("0.9.1", "1.3.1");
  return leaseholder === publisher ? releases("0.9.1", "1.2.1") : releases("1.3.1", "1.3.1");
}

/**
 * Key and value of a channel as its publisher writes them: the layout of 0.9.1 to 1.3.1, and where an endpoint is named
 * that of 1.4 on.
 */
export function eventChannelRecord(channel: Omit<EventChannel, "key" | "owner" | "releases">): Registered {
  const { topic, namespace, component = "", endpoint, publisher } = channel;
  const [path, scope] = endpoint === undefined
    ? [`${namespace}/${component}/${topic}`, { namespace, component }]
    : [`namespace/${namespace}/component/${component}/endpoint/${endpoint}/topic/${topic}`, {
      scope: { kind: "endpoint", endpoint: { namespace, component, name: endpoint } },
    }];
  const transport = transportValue(channel.transport, topic);
  const text = JSON.stringify({ type: "EventChannel", ...scope, topic, instance_id: 0, transport });
  return {
    key: `${PREFIX}${path}/${workerIdToHex(publisher)}`,
    value: text.replace('"instance_id":0', `"instance_id":${publisher}`),
  };
}

type Scope = Pick<EventChannel, "namespace" | "component" | "endpoint">;

function parseScope(fields: Fields): Scope | undefined {
  if (fields.scope === undefined) {
    const namespace = textOf(fields.namespace);
    if (namespace === undefined || typeof fields.component !== "string") return undefined;
    return { namespace, component: textOf(fields.component), endpoint: undefined };
  }
  const { kind, endpoint: names } = fieldsOf(fields.scope);
  const { namespace: ns, component: comp, name } = fieldsOf(names);
  const [namespace, component, endpoint] = [textOf(ns), textOf(comp), textOf(name)];
  if (kind !== "endpoint" || namespace === undefined || component === undefined || endpoint === undefined) {
    return undefined;
  }
  return { namespace, component, endpoint };
}

function parseTransport({ kind, config }: Fields, topic: string): EventTransport | undefined {
  const { subject_prefix, endpoint } = fieldsOf(config);
  if (kind === "Nats" && typeof subject_prefix === "string") {
    const subject = `${subject_prefix}.${topic}`;
    return isName(subject) ? { kind: "nats", subject } : undefined;
  }
  if (kind === "Zmq" && typeof endpoint === "string" && endpoint.startsWith("tcp://")) {
    const address = parseAddress(endpoint.slice("tcp://".length));
    return address && { kind: "zmq", ...address };
  }
  return undefined;
}

function transportValue(transport: EventTransport, topic: string): Fields {
  if (transport.kind === "nats") {
    return { kind: "Nats", config: { subject_prefix: transport.subject.slice(0, -`.${topic}`.length) } };
  }
  const { host, port } = transport;
  return {
    kind: "Zmq",
    config: { endpoint: `tcp://${host.includes(":") ? `[${host}]` : host}:${port}` },
  };
}
