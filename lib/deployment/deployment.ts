import type { Target } from "../dynamo/target.ts";
import { type Parts, whole } from "../fleet/parts.ts";
import type { Connection, Snapshot, TargetSnapshot } from "../fleet/snapshot.ts";
import { logger } from "../log.ts";
import { giveWay, inSlices } from "../timing.ts";
import { NamespaceWatch } from "./namespace_watch.ts";
import { CHANGES_MS, EVENTS_MS, TargetWatch, type TargetWatchOptions } from "./target_watch.ts";

export interface DeploymentOptions
  extends Omit<TargetWatchOptions, "target" | "namespace" | "pageTargets" | "showWithin"> {
  /** Different ones; at least one. */
  readonly targets: readonly Target[];
  readonly pageTargets?: TargetWatchOptions["pageTargets"];
}

/** How many publishers that cannot be reached are listed. */
const MAX_PUBLISHERS = 100;

/**
 * Watches targets and holds the newest Snapshot of all. What changes between the rounds of a target (a key, a connection, a
 * late answer, an answer that becomes stale) makes a new Snapshot within 100 ms, what is only counted within a second.
 */
export class Deployment implements Disposable {
  readonly #options: DeploymentOptions;
  readonly #ends = new DisposableStack();
  readonly #namespaces: readonly NamespaceWatch[];
  readonly #targets: readonly TargetWatch[];
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  #snapshot: Snapshot;
  /** Ends when the last change that was begun has. */
  #last: Promise<void> = Promise.resolve();
  #due: { timer: ReturnType<typeof setTimeout>; atMs: number } | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: DeploymentOptions) {
    const { targets, nats, store, channels, clock, recorder, pageTargets = () => NO_PAGES } = options;
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
    if (store) this.#ends.use(store.listen(() => this.#showWithin(CHANGES_MS)));
    this.#ends.defer(() => {
      clearTimeout(this.#due?.timer);
      clearTimeout(this.#expiry);
    });
    this.#snapshot = whole(this.#build({ seq: 0, targets: this.#targets }));
  }

  /** The newest; immutable. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** How long ago, in milliseconds, the loop of a target last began a round, of that for which it is longest. */
  get sinceTurnMs(): number {
    return Math.max(...this.#targets.map(({ sinceTurnMs }) => sinceTurnMs));
  }

  /** True once a first turn of each target's loop has shown what there is. */
  get hasTurned(): boolean {
    return this.#targets.every(({ hasTurned }) => hasTurned);
  }

  /** False while NATS may be away: no target needs it, or may do so. */
  get needsNats(): boolean {
    return this.#targets.some(({ needsNats }) => needsNats);
  }

  /** Calls `listener` with every new Snapshot until the result is disposed of. */
  subscribe(listener: (snapshot: Snapshot) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Something was counted that a page made from the present Snapshot may not have: a new one within a second. */
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

  /**
   * Changes of fleets and Snapshots of them are made in slices, and come one after the other: one begins when the one before
   * has ended.
   */
  #change(act: () => Promise<void>): Promise<void> {
    const done = this.#last.then(async () => {
      if (!this.#ends.disposed) await act();
    });
    this.#last = done.catch(() => {}); // Whoever asked for it is told.
    return done;
  }

  /** Makes a Snapshot after `ms` at the latest, one for all changes until then. */
  #showWithin(ms: number): void {
    const atMs = this.#options.clock().monotonicMs + ms;
    if (this.#due && this.#due.atMs <= atMs) return;
    clearTimeout(this.#due?.timer);
    const show = async () => {
      if (this.#due === due) await this.#show(this.#targets); // Else a Snapshot that was begun since has it.
    };
    const onError = (error: unknown) =>
      logger().error("Cannot make a Snapshot", { cause: (error as Error).message });
    const due = { timer: setTimeout(() => void this.#change(show).catch(onError), ms), atMs };
    this.#due = due;
  }

  /** Takes what has arrived, and makes a Snapshot in which these targets are anew. */
  async #show(targets: readonly TargetWatch[]): Promise<void> {
    // What is told from now on may miss this Snapshot, and makes another.
    clearTimeout(this.#due?.timer);
    this.#due = undefined;
    for (const target of targets) await target.take();
    for (const namespace of this.#namespaces) {
      const own = this.#targets.filter(({ target }) => target.namespace === namespace.namespace);
      await namespace.take(own);
      namespace.forget((worker) => own.some((target) => target.knows(worker)));
    }
    for (const target of targets) await target.passTime();
    this.#snapshot = await inSlices(this.#build({ seq: this.#snapshot.seq + 1, targets }));
    await giveWay();
    if (this.#ends.disposed) return;
    this.#watchExpiry();
    for (const listener of this.#listeners) listener(this.#snapshot);
  }

  /** The next Snapshot; the targets that are not anew, and did not change, stay as they were. */
  *#build({ seq, targets }: { seq: number; targets: readonly TargetWatch[] }): Parts<Snapshot> {
    const at = this.#options.clock();
    const shown: TargetSnapshot[] = [];
    for (const target of this.#targets) {
      const isAnew = targets.includes(target) || target.isChanged;
      shown.push(isAnew ? yield* target.show() : target.shown);
    }
    return {
      seq,
      at,
      connections: this.#connections(),
      namespaces: this.#namespaces.map(({ shown }) => shown),
      targets: shown,
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

  /** Numbers leave when they become stale, not at the next round. */
  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    const atMs = Math.min(...this.#snapshot.targets.map(({ changesAtMs }) => changesAtMs));
    if (atMs === Infinity) return;
    const waitMs = Math.max(0, atMs - this.#options.clock().monotonicMs);
    this.#expiry = setTimeout(() => this.#showWithin(0), waitMs);
  }
}

const NO_PAGES = [] as const;
