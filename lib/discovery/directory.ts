import { type EventChannel, eventChannelPrefixes, parseEventChannel } from "../dynamo/event_channel.ts";
import { FORWARD_PASS_EVENT } from "../dynamo/forward_pass.ts";
import { INSTANCE_KEY_LAYOUTS, instanceKeyPrefix, parseInstanceKey } from "../dynamo/instance_key.ts";
import { parseInstanceValue } from "../dynamo/instance_value.ts";
import { KV_METRICS_EVENT } from "../dynamo/kv_metrics.ts";
import { modelCardPrefix, parseModelCard } from "../dynamo/model_card.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { KeyRange, KeyStore, StoredKey } from "../transport/key_store.ts";
import type { Membership } from "./membership.ts";

/** The topics that say something of a worker's load. */
const TOPICS: ReadonlySet<string> = new Set([KV_METRICS_EVENT, FORWARD_PASS_EVENT]);

/** What a store says of a target: who is there, and where they are heard. */
export interface Listing {
  readonly membership: Membership;
  /** Those of the target's workers, and of routers that speak of them. */
  readonly channels: readonly EventChannel[];
  /** The machines that workers say they are on; empty where instances' values are not kept. */
  readonly hosts: ReadonlyMap<WorkerId, string>;
}

export interface DirectoryOptions {
  /** Whether instances' values are kept, which say the machine. */
  readonly withHosts?: boolean;
}

/** The keys that a `Directory` of the same options reads. */
export function storedRanges(target: Target, { withHosts = false }: DirectoryOptions = {}): KeyRange[] {
  return [
    ...instancePrefixes(target).map((prefix) => ({ prefix, withValues: withHosts })),
    ...valuedPrefixes(target).map((prefix) => ({ prefix, withValues: true })),
  ];
}

/**
 * Reads a store that keeps `storedRanges` of the same target and options, anew when the store says that it changed. Keys
 * that it cannot read are passed over; each value is read once.
 */
export class Directory implements Disposable {
  readonly #store: KeyStore;
  readonly #target: Target;
  readonly #options: DirectoryOptions;
  #channels = new Reader(parseEventChannel);
  #cards = new Reader(parseModelCard);
  #hosts = new Reader((entry) => this.#readHost(entry));
  #listing: Listing | undefined;
  readonly #listener: Disposable;

  constructor(store: KeyStore, target: Target, options: DirectoryOptions = {}) {
    this.#options = options;
    this.#store = store;
    this.#target = target;
    this.#listener = store.listen(() => this.#listing = undefined);
  }

  /** What the store says now: the same value until it changes. */
  read(): Listing {
    return this.#listing ??= this.#list();
  }

  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]();
  }

  #list(): Listing {
    const { namespace, component, endpoint } = this.#target;
    const workers = new Set<WorkerId>();
    for (const prefix of instancePrefixes(this.#target)) {
      for (const key of this.#store.entries(prefix).keys()) {
        const worker = parseInstanceKey(key, prefix);
        if (worker !== undefined) workers.add(worker);
      }
    }
    const channels = this.#channels
      .read(eventChannelPrefixes(namespace).map((prefix) => this.#store.entries(prefix)))
      .filter((channel) =>
        TOPICS.has(channel.topic) && channel.namespace === namespace &&
        (channel.component ?? component) === component && (channel.endpoint ?? endpoint) === endpoint
      );
    const cards = this.#cards.read([this.#store.entries(modelCardPrefix(this.#target))]);
    const owners = channels.flatMap(({ owner }) => owner === undefined ? [] : [owner]);
    const onZmq = channels.filter(({ transport }) => transport.kind === "zmq");
    const zmqOwners = new Set(onZmq.map(({ owner }) => owner));
    // A file store has no leases: which of the workers is a channel's owner is not known.
    const isOwnerless = onZmq.length === channels.length && zmqOwners.has(undefined);
    const speaksOnZmq = (worker: WorkerId) => isOwnerless || zmqOwners.has(worker);
    return {
      channels,
      hosts: this.#readHosts(),
      membership: {
        known: this.#store.connected,
        workers,
        cards: new Map(cards.map((card) => [card.worker, card])),
        withChannel: isOwnerless ? workers : new Set(owners),
        needsNats: workers.size === 0 || ![...workers].every(speaksOnZmq),
      },
    };
  }

  #readHosts(): Map<WorkerId, string> {
    if (!this.#options.withHosts) return new Map();
    const prefixes = instancePrefixes(this.#target);
    return new Map(this.#hosts.read(prefixes.map((prefix) => this.#store.entries(prefix))));
  }

  #readHost({ key, value }: { key: string; value: string }): readonly [WorkerId, string] | undefined {
    const { host } = parseInstanceValue(value);
    const prefix = instancePrefixes(this.#target).find((prefix) => key.startsWith(prefix));
    const worker = prefix === undefined ? undefined : parseInstanceKey(key, prefix);
    return worker !== undefined && host !== undefined ? [worker, host] : undefined;
  }
}

function instancePrefixes(target: Target): string[] {
  return INSTANCE_KEY_LAYOUTS.map((layout) => instanceKeyPrefix(layout, target));
}

function valuedPrefixes(target: Target): string[] {
  return [...eventChannelPrefixes(target.namespace), modelCardPrefix(target)];
}

/** Reads values, each once for as long as it does not change. */
class Reader<T> {
  #known = new Map<string, { readonly version: string; readonly value: T | undefined }>();

  constructor(
    private readonly parse: (
      entry: { readonly key: string; readonly value: string; readonly lease: string | undefined },
    ) => T | undefined,
  ) {}

  read(ranges: readonly ReadonlyMap<string, StoredKey>[]): T[] {
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
    return [...known.values()].flatMap(({ value }) => value === undefined ? [] : [value]);
  }
}
