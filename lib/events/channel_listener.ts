import type { EventChannel } from "../dynamo/event_channel.ts";
import { type EventEnvelope, isEnvelope, parseEnvelope, parseZmqFrames } from "../dynamo/event_envelope.ts";
import { EventError, type EventProblem, jsonText, noProblems } from "../dynamo/event_error.ts";
import { FORWARD_PASS_EVENT, parseForwardPass } from "../dynamo/forward_pass.ts";
import {
  KV_METRICS_EVENT,
  type KvMetrics,
  parseKvMetrics,
  parseKvMetricsJson,
} from "../dynamo/kv_metrics.ts";
import { eventSubject } from "../dynamo/subject.ts";
import { logger } from "../log.ts";
import type { Clock, Instant } from "../timing.ts";
import type { NatsLink } from "../transport/nats.ts";
import { ZmqSubscriber } from "../transport/zmq_sub.ts";
import type { Observation, Said } from "./observation.ts";

export interface ChannelListenerOptions {
  /** Undefined to hear ZMQ alone. */
  readonly nats: NatsLink | undefined;
  readonly namespace: string;
  readonly clock: Clock;
  /** Told of each message and each loss; it should only take note. */
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
/** Of a worker's forward passes, which come 60 to 100 times a second, so many are read at each taking: the newest. */
const FORWARD_PASSES = 16;
/** How many messages a channel keeps until they are taken. */
const MAX_KEPT = 4_096;

/** A message as it came; read only when it is taken. */
interface Kept {
  readonly at: Instant;
  readonly data: Uint8Array | readonly Uint8Array[];
}

/** What came at one source since it was last taken. */
interface Keeping {
  readonly topic: string;
  readonly via: string;
  readonly messages: Kept[];
  /** Messages that are counted, and not read: there were too many, or their connection was lost. */
  dropped: number;
}

/**
 * Hears the events that workers and routers send of load: on NATS at the subjects of all releases, on ZMQ at the
 * sockets that etcd names. Messages are kept as they come and read when they are taken.
 */
export class ChannelListener implements Disposable {
  readonly #options: ChannelListenerOptions;
  readonly #log = logger("events");
  readonly #stop = new AbortController();
  readonly #kept = new Map<string, Keeping>();
  readonly #sources = new Map<string, Disposable>();
  readonly #sequences = new Map<string, number>();
  readonly #natsListener: Disposable | undefined;
  #lost = new Set<string>();

  constructor(options: ChannelListenerOptions) {
    this.#options = options;
    const { nats } = options;
    this.#natsListener = nats?.listen({ onChange: () => nats.connected || this.#lose(NATS) });
    this.update([]);
  }

  /** Opens and closes what these channels need; what is open already stays. */
  update(channels: readonly EventChannel[]): void {
    const wanted = new Map<string, () => Disposable>();
    // Before 0.9 no key names the subject of kv_metrics.
    const base = eventSubject(this.#options.namespace, KV_METRICS_EVENT);
    this.#wantSubject(wanted, { subject: base, topic: KV_METRICS_EVENT });
    for (const { topic, transport } of channels) {
      if (transport.kind === "nats") this.#wantSubject(wanted, { subject: transport.subject, topic });
      else wanted.set(`${transport.host}:${transport.port} ${topic}`, () => this.#openZmq(transport, topic));
    }
    for (const [name, source] of this.#sources) {
      if (wanted.has(name)) continue;
      source[Symbol.dispose]();
      this.#sources.delete(name);
      this.#kept.delete(name);
    }
    for (const [name, open] of wanted) if (!this.#sources.has(name)) this.#sources.set(name, open());
  }

  /** What came since the last call; undefined when nothing did. */
  take(): EventBatch | undefined {
    const isEmpty = ({ messages, dropped }: Keeping) => messages.length + dropped === 0;
    if (this.#lost.size === 0 && this.#kept.values().every(isEmpty)) return undefined;
    const observations: Observation[] = [];
    const counts = new Map<string, EventCounts>();
    for (const keeping of this.#kept.values()) {
      if (isEmpty(keeping)) continue;
      const { topic, via, messages } = keeping;
      let count = counts.get(topic);
      if (count === undefined) counts.set(topic, count = { heard: 0, missed: 0, rejected: noProblems() });
      count.heard += messages.length + keeping.dropped;
      const isOneWorkers = via !== NATS;
      const read = topic === FORWARD_PASS_EVENT && isOneWorkers ? messages.slice(-FORWARD_PASSES) : messages;
      for (const message of read) {
        const observation = this.#read(message, { topic, via, count });
        if (observation !== undefined) observations.push(observation);
      }
      messages.length = 0;
      keeping.dropped = 0;
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
    { subject, topic }: { subject: string; topic: string },
  ): void {
    const { nats } = this.#options;
    if (nats === undefined) return;
    const name = `${NATS} ${subject}`;
    wanted.set(name, () => {
      const keep = this.#keeper(name, { topic, via: NATS });
      return nats.subscribe(subject, ({ data }) => keep(data));
    });
  }

  #openZmq({ host, port }: { host: string; port: number }, topic: string): Disposable {
    const name = `${host}:${port} ${topic}`;
    const keep = this.#keeper(name, { topic, via: name });
    const subscriber = new ZmqSubscriber({
      host,
      port,
      topics: [topic],
      signal: this.#stop.signal,
      onMessage: keep,
      onChange: () => {
        if (!subscriber.connected) this.#lose(name);
      },
    });
    return { [Symbol.dispose]: () => void subscriber[Symbol.asyncDispose]() };
  }

  #keeper(name: string, { topic, via }: { topic: string; via: string }): (data: Kept["data"]) => void {
    const keeping: Keeping = { topic, via, messages: [], dropped: 0 };
    this.#kept.set(name, keeping);
    return (data) => {
      if (keeping.messages.length >= MAX_KEPT) drop(keeping, MAX_KEPT / 2);
      keeping.messages.push({ at: this.#options.clock(), data });
      this.#options.onEvent();
    };
  }

  /** What came by the connection before is no longer true, taken or not. */
  #lose(via: string): void {
    for (const keeping of this.#kept.values()) {
      if (keeping.via === via) drop(keeping, keeping.messages.length);
    }
    this.#lost.add(via);
    this.#options.onEvent();
  }

  #read(
    { at, data }: Kept,
    { topic, via, count }: { topic: string; via: string; count: EventCounts },
  ): Observation | undefined {
    const channel = via === NATS ? "event_nats" : "event_zmq";
    try {
      return { at, channel, via, ...this.#readSaid(data, topic, count) };
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      count.rejected[error.problem]++;
      this.#log.debug("Rejected an event", { event: topic, reason: error.problem, detail: error.message });
      return undefined;
    }
  }

  #readSaid(
    data: Kept["data"],
    topic: string,
    count: EventCounts,
  ): Pick<Observation, "worker" | "dpRank" | "said"> {
    if (data instanceof Uint8Array && !isEnvelope(data)) return saidOf(parseKvMetricsJson(jsonText(data)));
    const envelope = data instanceof Uint8Array ? parseEnvelope(data) : parseZmqFrames(data);
    if (topic !== FORWARD_PASS_EVENT) count.missed += this.#missed(envelope); // Of those not all are read.
    if (topic === KV_METRICS_EVENT) return saidOf(parseKvMetrics(envelope));
    const { worker, dpRank, running, waiting } = parseForwardPass(envelope);
    return { worker, dpRank, said: { kind: "forward_pass", running, waiting } };
  }

  #missed({ publisher, topic, sequence }: EventEnvelope): number {
    const key = `${publisher} ${topic}`;
    const before = this.#sequences.get(key);
    this.#sequences.delete(key);
    this.#sequences.set(key, sequence);
    if (this.#sequences.size > MAX_KEPT) this.#sequences.delete(this.#sequences.keys().next().value!);
    return before !== undefined && sequence > before ? sequence - before - 1 : 0;
  }
}

function drop(keeping: Keeping, count: number): void {
  keeping.messages.splice(0, count);
  keeping.dropped += count;
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
