import { encodeForwardPass, FORWARD_PASS_EVENT } from "../dynamo/forward_pass.ts";
import { encodeHitRate, HIT_RATE_EVENT, hitRateText } from "../dynamo/hit_rate.ts";
import {
  encodeKvMetrics,
  KV_METRICS_EVENT,
  kvMetricsLoadText,
  kvMetricsText,
  ownKvMetrics,
} from "../dynamo/kv_metrics.ts";
import type { Load } from "../dynamo/load.ts";
import { eventSubject } from "../dynamo/subject.ts";
import type { Target } from "../dynamo/target.ts";
import { type WorkerId, workerIdFromInteger } from "../dynamo/worker_id.ts";
import { logger } from "../log.ts";
import type { LeasedKey } from "../transport/etcd_lease.ts";
import type { NatsLink } from "../transport/nats.ts";
import { type EventCarrier, type EventScope, MockEventChannel } from "./event_channel.ts";
import type { MockNumbers } from "./numbers.ts";
import type { LoadEventTraits, ReleaseTraits } from "./releases.ts";

export interface MockSpeechOptions {
  readonly target: Target;
  readonly traits: Pick<ReleaseTraits, "loadEvents" | "hitRates">;
  readonly numbers: Pick<MockNumbers, "nextLoad" | "nextHitRate" | "steady">;
  /** What carries the events of releases that have channels. */
  readonly carrier: EventCarrier;
  /** What carries the JSON of those before. */
  readonly link: Pick<NatsLink, "publish"> | undefined;
}

const DP_RANK = 0;
/** How long a forward pass is said to take. */
const PASS_SECONDS = 0.016;

/** All that one worker says without being asked. */
export class MockSpeech implements AsyncDisposable {
  readonly #options: MockSpeechOptions;
  readonly #channels = new Map<string, MockEventChannel>();
  readonly #log = logger();
  #worker: WorkerId | undefined;
  #passes = 0;
  /** The load of the last `kv_metrics`. */
  #said: Load | undefined;

  /** Binds a port for each channel that ZMQ carries. @throws {BindError} */
  constructor(options: MockSpeechOptions) {
    this.#options = options;
    const { target, carrier, traits } = options;
    for (const [topic, scope] of channelScopes(traits)) {
      this.#channels.set(topic, new MockEventChannel({ topic, target, scope, carrier }));
    }
  }

  /** Speaks for this worker from now on; gives what etcd is to hold of its channels. */
  announce(worker: WorkerId): readonly LeasedKey[] {
    this.#worker = worker;
    this.#passes = 0;
    const { loadEvents } = this.#options.traits;
    const isRandom = loadEvents?.kind === "channels" && loadEvents.scope === "endpoint";
    return [...this.#channels.values()].map((channel) =>
      channel.announce(isRandom ? randomPublisher() : worker)
    );
  }

  /** What a worker says in a second: a new load, which it had none of before `begins`, and a hit rate. */
  say({ begins }: { readonly begins: boolean }): void {
    const { numbers, traits: { loadEvents, hitRates } } = this.#options;
    if (begins) this.#said = undefined;
    if (hitRates !== undefined) this.#sayHitRate(hitRates);
    if (loadEvents === undefined) return;
    const load = numbers.nextLoad();
    this.#sayLoad(load, loadEvents);
    this.#log.debug("Said the load", {
      worker: this.#worker,
      blocks: load.activeBlocks,
      running: load.activeSlots,
      waiting: load.requestsWaiting,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#channels.values()].map((channel) => channel[Symbol.asyncDispose]()));
  }

  #sayLoad(load: Load, loadEvents: LoadEventTraits): void {
    const worker = this.#worker!;
    const { numbers } = this.#options;
    const isWhole = loadEvents.kind === "json" && loadEvents.of === "load";
    const isNew = isWhole ? load !== this.#said : load.activeBlocks !== this.#said?.activeBlocks;
    if (isNew || numbers.steady) {
      if (isWhole) this.#publish(KV_METRICS_EVENT, kvMetricsLoadText(worker, load));
      else this.#sayBlocks(load.activeBlocks, loadEvents);
    }
    this.#said = load;
    if (loadEvents.kind !== "channels" || !loadEvents.hasForwardPasses) return;
    const pass = { worker, dpRank: DP_RANK, running: load.activeSlots, waiting: load.requestsWaiting ?? 0 };
    const counter = ++this.#passes;
    this.#send(FORWARD_PASS_EVENT, encodeForwardPass(pass, { counter, wallSeconds: PASS_SECONDS }));
  }

  #sayBlocks(usedBlocks: number, loadEvents: LoadEventTraits): void {
    const hasUsedBlocks = loadEvents.kind === "channels" && loadEvents.hasUsedBlocks;
    const fields = ownKvMetrics({ worker: this.#worker!, dpRank: DP_RANK, usedBlocks }, { hasUsedBlocks });
    if (loadEvents.kind === "channels") this.#send(KV_METRICS_EVENT, encodeKvMetrics(fields));
    else this.#publish(KV_METRICS_EVENT, kvMetricsText(fields));
  }

  #sayHitRate(form: NonNullable<ReleaseTraits["hitRates"]>): void {
    const drawn = this.#options.numbers.nextHitRate();
    if (form === "original") {
      this.#publish(HIT_RATE_EVENT, hitRateText(drawn));
      return;
    }
    const event = { ...drawn, worker: this.#worker! };
    const rank = { dpRank: DP_RANK };
    if (form === "json") this.#publish(HIT_RATE_EVENT, hitRateText(event, rank));
    else this.#send(HIT_RATE_EVENT, encodeHitRate(event, rank));
  }

  #send(topic: string, payload: Uint8Array): void {
    this.#channels.get(topic)!.send(payload);
  }

  #publish(name: string, event: string): void {
    const problem = this.#options.link?.publish(eventSubject(this.#options.target.namespace, name), event);
    this.#log.debug("Published an event", { name, event, problem });
  }
}

/** The channels of a worker by topic, and of what they are. */
function channelScopes(
  { loadEvents, hitRates }: MockSpeechOptions["traits"],
): ReadonlyMap<string, EventScope> {
  const scopes = new Map<string, EventScope>();
  if (loadEvents?.kind !== "channels") return scopes;
  const isOfEndpoint = loadEvents.scope === "endpoint";
  scopes.set(KV_METRICS_EVENT, isOfEndpoint ? "endpoint" : "namespace");
  if (loadEvents.hasForwardPasses) scopes.set(FORWARD_PASS_EVENT, loadEvents.scope);
  if (hitRates === "envelope") scopes.set(HIT_RATE_EVENT, "namespace");
  return scopes;
}

/** Publishers since 1.3 have a number of their own, below 2^53 in all that was seen. */
function randomPublisher(): WorkerId {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return workerIdFromInteger((high & 0x1f_ffff) * 2 ** 32 + low)!;
}
