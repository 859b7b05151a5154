import type { EventChannel } from "../dynamo/event_channel.ts";
import { isEnvelope, parseEnvelope, parseZmqFrames } from "../dynamo/event_envelope.ts";
import { EventError, type EventProblem, jsonText, noProblems } from "../dynamo/event_error.ts";
import { FORWARD_PASS_EVENT, parseForwardPass } from "../dynamo/forward_pass.ts";
import {
  KV_METRICS_EVENT,
  type KvMetrics,
  parseKvMetrics,
  parseKvMetricsJson,
} from "../dynamo/kv_metrics.ts";
import { componentEventSubject, endpointEventSubject, eventSubject } from "../dynamo/subject.ts";
import type { Target } from "../dynamo/target.ts";
import { logger } from "../log.ts";
import { type Clock, turnClock } from "../timing.ts";
import type { ConnectionState } from "../transport/connectivity.ts";
import { Gate } from "../transport/gate.ts";
import type { NatsLink } from "../transport/nats.ts";
import { ZmqSubscriber } from "../transport/zmq_sub.ts";
import { Inbox, type Kept, type Message } from "./inbox.ts";
import type { Observation, Said } from "./observation.ts";

export interface ChannelListenerOptions {
  /** Undefined to hear ZMQ alone. */
  readonly nats: NatsLink | undefined;
  readonly withZmq: boolean;
  readonly target: Target;
  readonly clock: Clock;
  /** Told of the first message since the last taking, and of each loss; it should only take note. */
  readonly onEvent: () => void;
}

/** What came since it was last taken. */
export interface EventBatch {
  readonly observations: readonly Observation[];
  /** Connections that were lost: what came by them before is no longer known to be true. */
  readonly lost: ReadonlySet<string>;
  /** By event. */
  readonly counts: ReadonlyMap<string, EventCounts>;
}

export interface EventCounts {
  heard: number;
  /** Messages that a publisher numbered and that did not come. */
  missed: number;
  readonly rejected: Record<EventProblem, number>;
}

/** The connection's name of all that comes over NATS. */
const NATS = "nats";

/** What comes to an inbox: by which connection, and whether by a way that is the target's alone. */
interface Source {
  readonly topic: string;
  readonly via: string;
  readonly isTargets: boolean;
}

/**
 * Where events of load are on NATS whether a key says so or not: before 0.9 no key does, and without etcd none is read.
 * Of the whole namespace: `kv_metrics` to 1.2; of the component: forward passes to 1.2; of the endpoint: both, since 1.4.
 */
function wellKnownSubjects(target: Target): (Pick<Source, "topic" | "isTargets"> & { subject: string })[] {
  return [
    {
      topic: KV_METRICS_EVENT,
      subject: eventSubject(target.namespace, KV_METRICS_EVENT),
      isTargets: false,
    },
    {
      topic: FORWARD_PASS_EVENT,
      subject: componentEventSubject(target, FORWARD_PASS_EVENT),
      isTargets: true,
    },
    ...[KV_METRICS_EVENT, FORWARD_PASS_EVENT].map((topic) => ({
      topic,
      subject: endpointEventSubject(target, topic),
      isTargets: true,
    })),
  ];
}

/** Publishers that do not answer would take all file descriptors; those that do are through in milliseconds. */
const MAX_HANDSHAKES = 64;

/**
 * Hears the events that workers and routers send of load: on NATS at the subjects of all releases, on ZMQ at the
 * sockets that etcd names. Messages are kept as they come and read when they are taken.
 */
export class ChannelListener implements Disposable {
  readonly #options: ChannelListenerOptions;
  readonly #log = logger("events");
  readonly #stop = new AbortController();
  readonly #handshakes = new Gate(MAX_HANDSHAKES);
  readonly #clock: Clock;
  readonly #inboxes = new Map<string, Source & { readonly inbox: Inbox }>();
  readonly #sources = new Map<string, Disposable>();
  readonly #subscribers = new Map<string, ZmqSubscriber>();
  readonly #natsListener: Disposable | undefined;
  #lost = new Set<string>();

  constructor(options: ChannelListenerOptions) {
    this.#options = options;
    this.#clock = turnClock(options.clock);
    const { nats } = options;
    this.#natsListener = nats?.listen({ onChange: () => nats.connected || this.#lose(NATS) });
    this.update([]);
  }

  /** Opens and closes what these channels need; what is open already stays. */
  update(channels: readonly EventChannel[]): void {
    const wanted = new Map<string, () => Disposable>();
    const { target, withZmq } = this.#options;
    for (const { topic, subject, isTargets } of wellKnownSubjects(target)) {
      this.#wantSubject(wanted, { subject, topic, isTargets });
    }
    for (const { topic, transport } of channels) {
      if (transport.kind === "nats") {
        this.#wantSubject(wanted, { subject: transport.subject, topic, isTargets: false });
      } else if (withZmq) {
        const { host, port } = transport;
        wanted.set(`${host}:${port} ${topic}`, () => this.#openZmq({ host, port }, topic));
      }
    }
    for (const [name, source] of this.#sources) {
      if (wanted.has(name)) continue;
      source[Symbol.dispose]();
      this.#sources.delete(name);
      this.#inboxes.delete(name);
    }
    for (const [name, open] of wanted) if (!this.#sources.has(name)) this.#sources.set(name, open());
  }

  /** The publishers on ZMQ that could not be reached, or were lost, by `HOST:PORT TOPIC`. */
  *unreachable(): Generator<{ readonly name: string; readonly state: ConnectionState }> {
    for (const [name, { state }] of this.#subscribers) {
      if (!state.connected && state.reason !== undefined) yield { name, state };
    }
  }

  /** What came since the last call; undefined when nothing did. */
  take(): EventBatch | undefined {
    if (this.#lost.size === 0 && this.#inboxes.values().every(({ inbox }) => inbox.isEmpty)) return undefined;
    const observations: Observation[] = [];
    const counts = new Map<string, EventCounts>();
    for (const source of this.#inboxes.values()) {
      if (source.inbox.isEmpty) continue;
      const { topic } = source;
      const { messages, heard, missed, refused } = source.inbox.take();
      let count = counts.get(topic);
      if (count === undefined) counts.set(topic, count = { heard: 0, missed: 0, rejected: noProblems() });
      count.heard += heard;
      count.missed += missed;
      count.rejected.not_msgpack += refused;
      for (const message of messages) {
        const observation = this.#read(message, source, count);
        if (observation !== undefined) observations.push(observation);
      }
    }
    const lost = this.#lost;
    this.#lost = new Set();
    return { observations, lost, counts };
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#natsListener?.[Symbol.dispose]();
    for (const source of this.#sources.values()) source[Symbol.dispose]();
  }

  #wantSubject(
    wanted: Map<string, () => Disposable>,
    { subject, topic, isTargets }: Pick<Source, "topic" | "isTargets"> & { subject: string },
  ): void {
    const { nats } = this.#options;
    const name = `${NATS} ${subject}`;
    if (nats === undefined || wanted.has(name)) return;
    wanted.set(name, () => {
      const keep = this.#keeper(name, { topic, via: NATS, isTargets });
      return nats.subscribe(subject, ({ data }) => keep(data));
    });
  }

  #openZmq({ host, port }: { host: string; port: number }, topic: string): Disposable {
    const name = `${host}:${port} ${topic}`;
    const keep = this.#keeper(name, { topic, via: name, isTargets: true });
    const subscriber = new ZmqSubscriber({
      host,
      port,
      topics: [topic],
      signal: this.#stop.signal,
      handshakes: this.#handshakes,
      onMessage: keep,
      onChange: () => {
        if (!subscriber.connected) this.#lose(name);
      },
    });
    this.#subscribers.set(name, subscriber);
    return {
      [Symbol.dispose]: () => {
        this.#subscribers.delete(name);
        void subscriber[Symbol.asyncDispose]();
      },
    };
  }

  #keeper(name: string, source: Source): (data: Message) => void {
    const inbox = new Inbox();
    this.#inboxes.set(name, { ...source, inbox });
    return (data) => {
      const isFirst = inbox.isEmpty;
      inbox.put({ at: this.#clock(), data });
      if (isFirst) this.#options.onEvent();
    };
  }

  /** What came by the connection before is no longer true, taken or not. */
  #lose(via: string): void {
    for (const source of this.#inboxes.values()) if (source.via === via) source.inbox.drop();
    this.#lost.add(via);
    this.#options.onEvent();
  }

  #read({ at, data }: Kept, { topic, via, isTargets }: Source, count: EventCounts): Observation | undefined {
    const channel = via === NATS ? "event_nats" : "event_zmq";
    try {
      return { at, channel, via, isTargets, ...readSaid(data, topic) };
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      count.rejected[error.problem]++;
      this.#log.debug("Rejected an event", { event: topic, reason: error.problem, detail: error.message });
      return undefined;
    }
  }
}

const HEARTBEAT: Said = { kind: "heartbeat" };

function readSaid(data: Message, topic: string): Pick<Observation, "worker" | "dpRank" | "said"> {
  if (topic === KV_METRICS_EVENT && data instanceof Uint8Array && !isEnvelope(data)) {
    return saidOf(parseKvMetricsJson(jsonText(data)));
  }
  const envelope = data instanceof Uint8Array ? parseEnvelope(data) : parseZmqFrames(data);
  if (topic === KV_METRICS_EVENT) return saidOf(parseKvMetrics(envelope));
  const { worker, dpRank, running, waiting, isHeartbeat } = parseForwardPass(envelope);
  return { worker, dpRank, said: isHeartbeat ? HEARTBEAT : { kind: "forward_pass", running, waiting } };
}

function saidOf(metrics: KvMetrics): Pick<Observation, "worker" | "dpRank" | "said"> {
  const { worker, dpRank } = metrics;
  return { worker, dpRank, said: toSaid(metrics) };
}

function toSaid(metrics: KvMetrics): Said {
  switch (metrics.kind) {
    case "load":
      return { kind: "load", load: metrics.load };
    case "own":
      return { kind: "blocks", usedBlocks: metrics.usedBlocks };
    case "router": {
      const { router, activeDecodeBlocks, activePrefillTokens } = metrics;
      return { kind: "router", router, activeDecodeBlocks, activePrefillTokens };
    }
  }
}
