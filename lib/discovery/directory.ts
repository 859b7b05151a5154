import { type EventChannel, eventChannelPrefixes, parseEventChannel } from "../dynamo/event_channel.ts";
import { FORWARD_PASS_EVENT } from "../dynamo/forward_pass.ts";
import {
  INSTANCE_KEY_LAYOUTS,
  type InstanceKeyLayout,
  instanceKeyPrefix,
  parseInstanceKey,
  releasesOfLayout,
} from "../dynamo/instance_key.ts";
import { type InstanceValue, parseInstanceValue } from "../dynamo/instance_value.ts";
import { KV_METRICS_EVENT } from "../dynamo/kv_metrics.ts";
import { type ModelCard, modelCardPrefix, parseModelCard } from "../dynamo/model_card.ts";
import { ANY_RELEASE, isWithin, type Releases, releases } from "../dynamo/release.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { KeyRange, KeyStore, StoredKey } from "../transport/key_store.ts";
import { logger } from "../log.ts";
import type { Membership, Registration } from "./membership.ts";
import { NewOnes } from "./new_ones.ts";

/** The topics that say something of a worker's load. */
const TOPICS: ReadonlySet<string> = new Set([KV_METRICS_EVENT, FORWARD_PASS_EVENT]);

/** What a store says of a target: who is there, and where they are heard. */
export interface MembershipInput {
  readonly kind: "membership";
  readonly membership: Membership;
  /** Those of the target's workers, and of routers that speak of them. */
  readonly channels: readonly EventChannel[];
}

/** The keys that the directories of these targets read, each range once. */
export function storedRanges(targets: readonly Target[]): KeyRange[] {
  return [...new Map(targets.flatMap(rangesOf).map((range) => [range.prefix, range])).values()];
}

function rangesOf(target: Target): KeyRange[] {
  return [
    ...INSTANCE_KEY_LAYOUTS.map((layout) => ({
      prefix: instanceKeyPrefix(layout, target),
      withValues: layout === "v1", // Those before say nothing that the key does not.
    })),
    ...[...eventChannelPrefixes(target.namespace), modelCardPrefix(target)]
      .map((prefix) => ({ prefix, withValues: true })),
  ];
}

/**
 * Reads a store that keeps `storedRanges` of the same target, anew when the store says that it changed. Keys that it
 * cannot read are passed over; each value is read once.
 */
export class Directory implements Disposable {
  readonly #store: KeyStore;
  readonly #target: Target;
  readonly #channels = new Reader(parseEventChannel);
  readonly #cards = new Reader(parseModelCard);
  readonly #values = new Reader(({ value }) => parseInstanceValue(value));
  readonly #contradictions = new NewOnes();
  readonly #listener: Disposable;
  #isRead = false;
  onInput = () => {};

  constructor(store: KeyStore, target: Target) {
    this.#store = store;
    this.#target = target;
    this.#listener = store.listen(() => {
      this.#isRead = false;
      this.onInput();
    });
  }

  /** What the store says now, if that changed since the last call. */
  take(): readonly MembershipInput[] {
    if (this.#isRead) return [];
    this.#isRead = true;
    const input = this.#list();
    this.#warnOfContradictions(input.membership);
    return [input];
  }

  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]();
  }

  #list(): MembershipInput {
    const channels = this.#listChannels();
    const owned = new Map<WorkerId, Releases>();
    for (const { owner, publisher, releases } of channels) {
      if (owner === undefined) continue;
      const possible = owner === publisher ? releases & PUBLISHES_AS_ITSELF : releases;
      owned.set(owner, possible & (owned.get(owner) ?? ANY_RELEASE));
    }
    const speech = speechOf(channels);
    const cards = this.#listCards();
    const workers = new Map<WorkerId, Registration>();
    let needsNats = false;
    for (const { worker, layout, value } of this.#listInstances()) {
      const card = cards.get(worker);
      const ofCard = card?.releases ?? ANY_RELEASE;
      const ofChannels = owned.get(worker) ?? ANY_RELEASE;
      const possible = releasesOfLayout(layout) & (value?.releases ?? ANY_RELEASE) & ofChannels & ofCard;
      workers.set(worker, {
        card,
        host: value?.host,
        releases: possible,
        unitReleases: possible || ofCard & ofChannels || ofCard,
      });
      needsNats ||= value?.isOnNats === true || speech(worker, possible) === "nats";
    }
    return {
      kind: "membership",
      channels,
      membership: {
        known: this.#store.connected,
        workers,
        publishers: new Set(channels.map(({ publisher }) => publisher)),
        needsNats: workers.size === 0 || needsNats,
      },
    };
  }

  /** Units of workers whose keys are those of different releases are taken from the card. */
  #warnOfContradictions({ workers }: Membership): void {
    const fields = this.#contradictions.note(
      workers.entries().filter(([, { releases }]) => releases === 0).map(([worker]) => worker),
    );
    if (!fields) return;
    logger("discovery").warn(
      "The keys of a worker are of different releases: units are those of its card's release",
      fields,
    );
  }

  /** Those that may say something of the target's workers. */
  #listChannels(): EventChannel[] {
    const { namespace, component, endpoint } = this.#target;
    const ranges = eventChannelPrefixes(namespace).map((prefix) => this.#store.entries(prefix));
    return [...this.#channels.read(ranges).values()].filter((channel) =>
      TOPICS.has(channel.topic) && channel.namespace === namespace &&
      (channel.component ?? component) === component && (channel.endpoint ?? endpoint) === endpoint
    );
  }

  #listCards(): Map<WorkerId, ModelCard> {
    const cards = this.#cards.read([this.#store.entries(modelCardPrefix(this.#target))]);
    return new Map(cards.values().map((card) => [card.worker, card]));
  }

  *#listInstances(): Generator<
    { worker: WorkerId; layout: InstanceKeyLayout; value: InstanceValue | undefined }
  > {
    for (const layout of INSTANCE_KEY_LAYOUTS) {
      const prefix = instanceKeyPrefix(layout, this.#target);
      const entries = this.#store.entries(prefix);
      const values = layout === "v1" ? this.#values.read([entries]) : undefined;
      for (const key of entries.keys()) {
        const worker = parseInstanceKey(key, prefix);
        if (worker !== undefined) yield { worker, layout, value: values?.get(key) };
      }
    }
  }
}

/**
 * How a worker of some possible releases speaks: on ZMQ, on NATS, or not at all: since 0.9.1 workers announce their
 * channels, and one that announces none publishes nothing.
 */
function speechOf(
  channels: readonly EventChannel[],
): (worker: WorkerId, possible: Releases) => "zmq" | "nats" | "none" {
  const ownersOf = (kind: EventChannel["transport"]["kind"]) =>
    new Set(channels.filter(({ transport }) => transport.kind === kind).map(({ owner }) => owner));
  const [onZmq, onNats] = [ownersOf("zmq"), ownersOf("nats")];
  // A file store has no leases: which of the workers is a channel's owner is not known.
  const isZmqOwnerless = onZmq.has(undefined) && onNats.size === 0;
  return (worker, possible) => {
    if (isZmqOwnerless || onZmq.has(worker)) return "zmq";
    const mayBeOnNats = onNats.has(worker) || onNats.has(undefined);
    return mayBeOnNats || !isWithin(possible, ANNOUNCES_CHANNELS) ? "nats" : "none";
  };
}

const ANNOUNCES_CHANNELS = releases("0.9.1");

/** Publishers have ids of their own since 1.3.1. */
const PUBLISHES_AS_ITSELF = releases("0.9.1", "1.2.1");

/** Reads values, each once for as long as it does not change. */
class Reader<T> {
  #known = new Map<string, { readonly version: string; readonly value: T | undefined }>();

  constructor(
    private readonly parse: (
      entry: { readonly key: string; readonly value: string; readonly lease: string | undefined },
    ) => T | undefined,
  ) {}

  /** By key. */
  read(ranges: readonly ReadonlyMap<string, StoredKey>[]): Map<string, T> {
    const known = new Map<string, { version: string; value: T | undefined }>();
    for (const range of ranges) {
      for (const [key, { value, lease, version }] of range) {
        const before = this.#known.get(key);
        known.set(
          key,
          before?.version === version ? before : { version, value: this.parse({ key, value, lease }) },
        );
      }
    }
    this.#known = known;
    const read = new Map<string, T>();
    for (const [key, { value }] of known) if (value !== undefined) read.set(key, value);
    return read;
  }
}
