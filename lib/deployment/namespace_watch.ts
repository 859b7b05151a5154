import type { EventChannel } from "../dynamo/event_channel.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import { ChannelListener, type EventInput } from "../events/channel_listener.ts";
import { type HitRateInput, HitRateListener } from "../events/hit_rate_listener.ts";
import type { Observation } from "../events/observation.ts";
import type { Notes, UnheardReason } from "../fleet/fleet.ts";
import { addHitRates, forgetStrangers, NO_HIT_RATES } from "../fleet/hit_rates.ts";
import { type NamespaceSnapshot, namespaceSnapshot } from "../fleet/snapshot.ts";
import type { Clock } from "../timing.ts";
import type { NatsLink } from "../transport/nats.ts";
import type { Recorder } from "./recorder.ts";
import type { Source } from "./source.ts";

export interface NamespaceWatchOptions {
  readonly namespace: string;
  /** Undefined to hear ZMQ alone. */
  readonly nats: NatsLink | undefined;
  readonly withZmq: boolean;
  readonly clock: Clock;
  readonly recorder: Recorder;
}

/** A target, as far as its namespace knows of it: it takes events, and says of which workers it knows nothing. */
interface Hearer {
  apply(input: EventInput): Promise<Pick<Notes, "unheard">>;
}

/** What is heard once for all targets of a namespace: hit rates, and the events of workers. */
export class NamespaceWatch implements Disposable {
  readonly #options: NamespaceWatchOptions;
  readonly #channels: ChannelListener;
  readonly #sources: Source<EventInput | HitRateInput>[] = [];
  readonly #ends = new DisposableStack();
  #hitRates = NO_HIT_RATES;
  #shown: NamespaceSnapshot;

  constructor(options: NamespaceWatchOptions) {
    const { namespace, nats } = options;
    this.#options = options;
    if (nats) this.#sources.push(this.#ends.use(new HitRateListener({ nats, namespace })));
    this.#channels = this.#ends.use(new ChannelListener(options));
    this.#sources.push(this.#channels);
    this.#shown = namespaceSnapshot(namespace, this.#hitRates);
  }

  get namespace(): string {
    return this.#options.namespace;
  }

  get shown(): NamespaceSnapshot {
    return this.#shown;
  }

  set onInput(onInput: () => void) {
    for (const source of this.#sources) source.onInput = onInput;
  }

  /** Hears what a target's workers say that has these channels. */
  follow(target: Target, channels: readonly EventChannel[]): void {
    this.#channels.follow(target, channels);
  }

  /** Takes what has arrived; events go to all targets. */
  async take(targets: readonly Hearer[]): Promise<void> {
    for (const source of this.#sources) {
      for (const input of source.take()) {
        if (input.kind === "events") await this.#takeEvents(input, targets);
        else this.#takeHitRates(input);
      }
    }
  }

  /** Forgets what was said long ago of workers that are not there. */
  forget(isThere: (worker: WorkerId) => boolean): void {
    const nowMs = this.#options.clock().monotonicMs;
    this.#show(forgetStrangers(this.#hitRates, { isThere, nowMs }));
  }

  /** How many publishers on ZMQ are listened to, or sought. */
  get publishers(): number {
    return this.#channels.publishers;
  }

  /** The publishers on ZMQ that could not be reached, or were lost. */
  unreachable(): ReturnType<ChannelListener["unreachable"]> {
    return this.#channels.unreachable();
  }

  [Symbol.dispose](): void {
    this.#ends.dispose();
  }

  async #takeEvents(input: EventInput, targets: readonly Hearer[]): Promise<void> {
    const { namespace, recorder } = this.#options;
    let unheard: ReadonlyMap<Observation, UnheardReason> | undefined;
    for (const target of targets) {
      const notes = await target.apply(input);
      unheard = unheard === undefined ? notes.unheard : inBoth(unheard, notes.unheard);
    }
    recorder.note({ namespace, input, unheard: unheard ?? new Map() });
  }

  #takeHitRates(input: HitRateInput): void {
    const { namespace, clock, recorder } = this.#options;
    this.#show(addHitRates(this.#hitRates, input.events, clock().monotonicMs));
    recorder.note({ namespace, input });
  }

  #show(hitRates: typeof NO_HIT_RATES): void {
    if (hitRates === this.#hitRates) return;
    this.#hitRates = hitRates;
    this.#shown = namespaceSnapshot(this.namespace, hitRates);
  }
}

function inBoth<K, V>(one: ReadonlyMap<K, V>, other: ReadonlyMap<K, V>): ReadonlyMap<K, V> {
  return new Map(one.entries().filter(([key]) => other.has(key)));
}
