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
import { ReadSchedule } from "../transport/read_schedule.ts";
import { ZmqSubscriber } from "../transport/zmq_sub.ts";
import { Inbox, type Kept, type Message } from "./inbox.ts";
import type { Observation, Said } from "./observation.ts";

export interface ChannelListenerOptions {
  /** Undefined to hear ZMQ alone. */
  readonly nats: NatsLink | undefined;
  readonly withZmq: boolean;
  readonly clock: Clock;
}

/** What came of the events of a namespace's workers since it was last taken. */
export interface EventInput {
  readonly kind: "events";
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

/** What comes to an inbox: by which connection, and whose way that is: see `Observation`. */
interface Way {
  readonly topic: string;
  readonly via: string;
  readonly targets: ReadonlySet<Target> | undefined;
}

/** What targets need: whose it is, and how to open it. */
interface Wanted {
  readonly targets: Set<Target> | undefined;
  readonly open: () => Disposable;
}

/**
 * Where events of load are on NATS whether a key says so or not: before 0.9 no key does, and without etcd none is read.
 * Of the whole namespace: `kv_metrics` to 1.2; of the component: forward passes to 1.2; of the endpoint: both, since 1.4.
 */
function wellKnownSubjects(target: Target): { topic: string; subject: string; isTargets: boolean }[] {
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
 * Hears the events that workers and routers of a namespace send of load: on NATS at the subjects of all releases, on ZMQ
 * at the sockets that the store names. What several targets have in common is heard once. Messages are kept as they come and
 * read when they are taken.
 */
export class ChannelListener implements Disposable {
  readonly #options: ChannelListenerOptions;
  readonly #log = logger("events");
  readonly #stop = new AbortController();
  readonly #handshakes = new Gate(MAX_HANDSHAKES);
  readonly #reads = new ReadSchedule();
  readonly #clock: Clock;
  readonly #channels = new Map<Target, readonly EventChannel[]>();
  readonly #inboxes = new Map<string, Way & { readonly inbox: Inbox }>();
  readonly #open = new Map<string, Disposable>();
  readonly #subscribers = new Map<string, ZmqSubscriber>();
  readonly #natsListener: Disposable | undefined;
  #lost = new Set<string>();
  onInput = () => {};

  constructor(options: ChannelListenerOptions) {
    this.#options = options;
    this.#clock = turnClock(options.clock);
    const { nats } = options;
    this.#natsListener = nats?.listen({ onChange: () => nats.connected || this.#lose(NATS) });
  }

  /** Opens and closes what a target needs that has these channels; what is open already stays. */
  follow(target: Target, channels: readonly EventChannel[]): void {
    this.#channels.set(target, channels);
    const wanted = new Map<string, Wanted>();
    for (const [target, channels] of this.#channels) this.#want(wanted, target, channels);
    for (const [name, open] of this.#open) {
      if (wanted.has(name)) continue;
      open[Symbol.dispose]();
      const way = this.#inboxes.get(name)!;
      if (way.via !== NATS) this.#lose(way.via);
      this.#open.delete(name);
      this.#inboxes.delete(name);
    }
    for (const [name, { targets, open }] of wanted) {
      if (!this.#open.has(name)) this.#open.set(name, open());
      this.#inboxes.set(name, { ...this.#inboxes.get(name)!, targets });
    }
  }

  /** How many publishers on ZMQ are listened to, or sought. */
  get publishers(): number {
    return this.#subscribers.size;
  }

  /** The publishers on ZMQ that could not be reached, or were lost, by `HOST:PORT TOPIC`. */
  *unreachable(): Generator<{ readonly name: string; readonly state: ConnectionState }> {
    for (const [name, { state }] of this.#subscribers) {
      if (!state.connected && state.reason !== undefined) yield { name, state };
    }
  }

  take(): readonly EventInput[] {
    if (this.#lost.size === 0 && this.#inboxes.values().every(({ inbox }) => inbox.isEmpty)) return [];
    const observations: Observation[] = [];
    const counts = new Map<string, EventCounts>();
    for (const way of this.#inboxes.values()) {
      if (way.inbox.isEmpty) continue;
      const { topic } = way;
      const { messages, heard, missed, refused } = way.inbox.take();
      let count = counts.get(topic);
      if (count === undefined) counts.set(topic, count = { heard: 0, missed: 0, rejected: noProblems() });
      count.heard += heard;
      count.missed += missed;
      count.rejected.not_msgpack += refused;
      for (const message of messages) {
        const observation = this.#read(message, way, count);
        if (observation !== undefined) observations.push(observation);
      }
    }
    const lost = this.#lost;
    this.#lost = new Set();
    return [{ kind: "events", observations, lost, counts }];
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#natsListener?.[Symbol.dispose]();
    for (const open of this.#open.values()) open[Symbol.dispose]();
  }

  /** Adds what a target needs to what others do. */
  #want(wanted: Map<string, Wanted>, target: Target, channels: readonly EventChannel[]): void {
    const { nats, withZmq } = this.#options;
    const want = (name: string, isTargets: boolean, open: () => Disposable) => {
      const known = wanted.get(name);
      if (known === undefined) wanted.set(name, { targets: isTargets ? new Set([target]) : undefined, open });
      else known.targets?.add(target);
    };
    const wantSubject = (subject: string, topic: string, isTargets: boolean) => {
      if (nats === undefined) return;
      const name = `${NATS} ${subject}`;
      want(name, isTargets, () => {
        const keep = this.#keeper(name, { topic, via: NATS });
        return nats.subscribe(subject, ({ data }) => keep(data));
      });
    };
    for (const { topic, subject, isTargets } of wellKnownSubjects(target)) {
      wantSubject(subject, topic, isTargets);
    }
    for (const { topic, transport } of channels) {
      if (transport.kind === "nats") {
        wantSubject(transport.subject, topic, false);
      } else if (withZmq) {
        const { host, port } = transport;
        want(`${host}:${port} ${topic}`, true, () => this.#openZmq({ host, port }, topic));
      }
    }
  }

  #openZmq({ host, port }: { host: string; port: number }, topic: string): Disposable {
    const name = `${host}:${port} ${topic}`;
    const keep = this.#keeper(name, { topic, via: name });
    const subscriber = new ZmqSubscriber({
      host,
      port,
      topics: [topic],
      signal: this.#stop.signal,
      handshakes: this.#handshakes,
      reads: this.#reads,
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

  #keeper(name: string, way: Omit<Way, "targets">): (data: Message) => void {
    const inbox = new Inbox();
    this.#inboxes.set(name, { ...way, targets: undefined, inbox });
    return (data) => {
      const isFirst = inbox.isEmpty;
      inbox.put({ at: this.#clock(), data });
      if (isFirst) this.onInput();
    };
  }

  /** What came by the connection before is no longer true, taken or not. */
  #lose(via: string): void {
    for (const way of this.#inboxes.values()) if (way.via === via) way.inbox.drop();
    this.#lost.add(via);
    this.onInput();
  }

  #read({ at, data }: Kept, { topic, via, targets }: Way, count: EventCounts): Observation | undefined {
    const channel = via === NATS ? "event_nats" : "event_zmq";
    try {
      return { at, channel, via, targets, ...readSaid(data, topic) };
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
