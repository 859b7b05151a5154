import type { Target } from "../dynamo/target.ts";
import { type Parts, whole } from "../fleet/parts.ts";
import type { Connection, FileNeed, Snapshot, TargetSnapshot } from "../fleet/snapshot.ts";
import { logger } from "../log.ts";
import { giveWay, inSlices } from "../timing.ts";
import { NamespaceWatch } from "./namespace_watch.ts";
import { CHANGES_MS, EVENTS_MS, TargetWatch, type TargetWatchOptions } from "./target_watch.ts";

export interface DeploymentOptions
  extends Omit<TargetWatchOptions, "target" | "namespace" | "pageTargets" | "showWithin"> {
  /** At least one, no duplicates. */
  readonly targets: readonly Target[];
  readonly pageTargets?: TargetWatchOptions["pageTargets"];
  /** How many files this process may have open; undefined if that is not known. */
  readonly fileLimit?: number | undefined;
}

/** At most this many unreachable publishers are listed. */
const MAX_PUBLISHERS = 100;

/**
 * Watches targets and holds the newest Snapshot of all. Changes between rounds (a key, a connection to a server, a late answer,
 * an answer that becomes stale) make a new Snapshot within 100 ms, events and counts within a second.
 */
export class Deployment implements Disposable {
  readonly #options: DeploymentOptions;
  readonly #ends = new DisposableStack();
  readonly #namespaces: readonly NamespaceWatch[];
  readonly #targets: readonly TargetWatch[];
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  #snapshot: Snapshot;
  /** Settles when all changes queued so far are done. */
  #last: Promise<void> = Promise.resolve();
  #due: { timer: ReturnType<typeof setTimeout>; atMs: number } | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: DeploymentOptions) {
    const { targets, nats, channels, clock, recorder, pageTargets = () => NO_PAGES } = options;
    this.#options = options;
    const namespaces = new Map<string, NamespaceWatch>();
    for (const { namespace } of targets) {
      if (namespaces.has(namespace)) continue;
      const watch = new NamespaceWatch({
        namespace,
        nats: channels.has("event_nats") ? nats : undefined,
        withZmq: channels.has("event_zmq"),
        clock,
        recorder,
      });
      watch.onInput = () => this.#showWithin(EVENTS_MS);
      namespaces.set(namespace, this.#ends.use(watch));
    }
    this.#namespaces = [...namespaces.values()];
    this.#targets = targets.map((target) => {
      const namespace = namespaces.get(target.namespace)!;
      const showWithin = (ms: number) => this.#showWithin(ms);
      return this.#ends.use(new TargetWatch({ ...options, target, namespace, pageTargets, showWithin }));
    });
    if (nats) {
      nats.isNeeded = () => this.needsNats;
      const onNews = () => this.#showWithin(CHANGES_MS);
      this.#ends.use(nats.listen({ onChange: onNews, onRefused: onNews }));
    }
    this.#ends.defer(() => {
      clearTimeout(this.#due?.timer);
      clearTimeout(this.#expiry);
    });
    this.#snapshot = whole(this.#build({ seq: 0, anew: this.#targets }));
  }

  /** The newest Snapshot. It never changes. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Milliseconds since the slowest target's loop last began a round. */
  get sinceTurnMs(): number {
    return Math.max(...this.#targets.map(({ sinceTurnMs }) => sinceTurnMs));
  }

  /** True after every target's first Snapshot. */
  get hasTurned(): boolean {
    return this.#targets.every(({ hasTurned }) => hasTurned);
  }

  /** Whether any target needs NATS. */
  get needsNats(): boolean {
    return this.#targets.some(({ needsNats }) => needsNats);
  }

  /** Calls `listener` with every new Snapshot until the result is disposed of. */
  subscribe(listener: (snapshot: Snapshot) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** To be called after a counter changed: pages show it with the next Snapshot, within a second. */
  renewCounts(): void {
    this.#showWithin(EVENTS_MS);
  }

  /** Polls all targets until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const turns = {
      change: (act: () => Promise<void>) => this.#change(act),
      show: (target: TargetWatch) => this.#show([target]),
    };
    await Promise.all(this.#targets.map((target) => target.run(turns, signal)));
  }

  [Symbol.dispose](): void {
    this.#ends.dispose();
  }

  /** Runs changes one at a time: each is made in slices, so two would mix. */
  #change(act: () => Promise<void>): Promise<void> {
    const done = this.#last.then(async () => {
      if (!this.#ends.disposed) await act();
    });
    this.#last = done.catch(() => {}); // The caller gets the error.
    return done;
  }

  /** Makes one Snapshot within `ms` for all changes until then. */
  #showWithin(ms: number): void {
    if (this.#ends.disposed) return;
    const atMs = this.#options.clock().monotonicMs + ms;
    if (this.#due && this.#due.atMs <= atMs) return;
    clearTimeout(this.#due?.timer);
    const show = async () => {
      if (this.#due === due) await this.#show(this.#targets); // Else a newer Snapshot already covers it.
    };
    const onError = (error: unknown) =>
      logger().error("Cannot make a Snapshot", { cause: (error as Error).message });
    const due = { timer: setTimeout(() => void this.#change(show).catch(onError), ms), atMs };
    this.#due = due;
  }

  /**
   * Takes the inputs and makes a Snapshot with these targets rebuilt, and all that changed. If a Snapshot was due, for whatever
   * target, it is this one.
   */
  async #show(asked: readonly TargetWatch[]): Promise<void> {
    const wanted = this.#due === undefined ? asked : this.#targets;
    // Inputs that arrive from here on may miss this Snapshot, so they schedule the next.
    clearTimeout(this.#due?.timer);
    this.#due = undefined;
    // Who is there comes before what is said by them.
    for (const target of this.#targets) await target.take();
    for (const namespace of this.#namespaces) {
      const own = this.#targets.filter(({ target }) => target.namespace === namespace.namespace);
      await namespace.take(own);
      namespace.forget((worker) => own.some((target) => target.knows(worker)));
    }
    const anew = this.#targets.filter((target) => wanted.includes(target) || target.isChanged);
    for (const target of anew) await target.passTime();
    this.#snapshot = await inSlices(this.#build({ seq: this.#snapshot.seq + 1, anew }));
    await giveWay();
    if (this.#ends.disposed) return;
    this.#watchExpiry();
    for (const listener of this.#listeners) listener(this.#snapshot);
  }

  /** Builds the next Snapshot. The other targets stay as they were. */
  *#build({ seq, anew }: { seq: number; anew: readonly TargetWatch[] }): Parts<Snapshot> {
    const at = this.#options.clock();
    const shown: TargetSnapshot[] = [];
    for (const target of this.#targets) {
      shown.push(anew.includes(target) ? yield* target.show(at) : target.shown);
    }
    return {
      seq,
      at,
      connections: this.#connections(),
      namespaces: this.#namespaces.map(({ shown }) => shown),
      targets: shown,
      files: this.#files(),
    };
  }

  #files(): FileNeed | undefined {
    const { fileLimit: limit } = this.#options;
    if (limit === undefined) return undefined;
    const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
    return {
      limit,
      publishers: sum(this.#namespaces.map(({ publishers }) => publishers)),
      pages: sum(this.#targets.map(({ pages }) => pages)),
    };
  }

  #connections(): Connection[] {
    const { nats, store } = this.#options;
    const connections: Connection[] = [];
    if (nats) {
      connections.push({
        role: "nats",
        name: "NATS",
        kind: "nats",
        ...nats.state,
        reconnects: nats.reconnects,
        refused: nats.refused,
      });
    }
    if (store) {
      const { name, kind, away } = store;
      connections.push({ role: "store", name, kind, away, ...store.state });
    }
    const publishers = this.#namespaces.values().flatMap((namespace) => namespace.unreachable());
    for (const { name, state } of publishers.take(MAX_PUBLISHERS)) {
      connections.push({ role: "publisher", name, kind: "zmq", ...state });
    }
    return connections;
  }

  /** Schedules a Snapshot for the moment when the next number becomes stale, at most ten a second. */
  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    const atMs = Math.min(...this.#snapshot.targets.map(({ changesAtMs }) => changesAtMs));
    if (atMs === Infinity) return;
    const waitMs = Math.max(CHANGES_MS, Math.ceil(atMs - this.#options.clock().monotonicMs));
    this.#expiry = setTimeout(() => this.#showWithin(0), waitMs);
  }
}

const NO_PAGES = [] as const;
