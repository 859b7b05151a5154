import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { Instant } from "../timing.ts";
import { aggregateLoad, type LoadAggregate } from "./aggregate.ts";
import type { Changes } from "./changes.ts";
import type { Fleet, RoundSummary } from "./fleet.ts";
import type { HitRates, HitRateSum, HitRateTotals } from "./hit_rates.ts";
import { each, type Parts } from "./parts.ts";
import type { FleetLimits } from "./worker.ts";
import { WorkerSnapshot, type WorkerState } from "./worker_snapshot.ts";

/** Everything that outputs show, at one moment: one value for the page, the push and all else, so they cannot disagree. */
export interface Snapshot {
  /** Grows by one with each Snapshot of a process. */
  readonly seq: number;
  readonly at: Instant;
  /** All of them: NATS, the store, and the publishers that cannot be reached, as many as are listed. */
  readonly connections: readonly Connection[];
  /** Those of the targets, each once. */
  readonly namespaces: readonly NamespaceSnapshot[];
  readonly targets: readonly TargetSnapshot[];
  /** How many files may be open, and what the workers' connections need of them; undefined if no limit is known. */
  readonly files?: FileNeed | undefined;
}

/** A publisher on ZMQ and a page take a file each. */
export interface FileNeed {
  readonly limit: number;
  readonly publishers: number;
  readonly pages: number;
}

/** NATS, where workers are asked and heard; the store that lists them; a worker's publisher on ZMQ. */
export type ConnectionRole = "nats" | "store" | "publisher";

/** One connection to a server or a worker. */
export interface Connection {
  readonly role: ConnectionRole;
  /** For people: `NATS`, `etcd`, `file store`, `HOST:PORT TOPIC`. */
  readonly name: string;
  /** `nats`, a kind of store, or `zmq`. */
  readonly kind: string;
  readonly connected: boolean;
  /** Why it is not connected; undefined while it is, and before the first try has failed. */
  readonly reason: string | undefined;
  /** When `connected` became what it is. */
  readonly since: Instant;
  /** What to say while it is not connected, if there is a better word for it. */
  readonly away?: string | undefined;
  /** How many connections came after the first, of NATS. */
  readonly reconnects?: number;
  /** What NATS refuses us: `publish SUBJECT`, `subscription SUBJECT`. */
  readonly refused?: readonly string[];
}

/** NATS, or the store; undefined when the program was told to do without it. */
export function connectionOf(
  role: Exclude<ConnectionRole, "publisher">,
  { connections }: Pick<Snapshot, "connections">,
): Connection | undefined {
  return connections.find((connection) => connection.role === role);
}

/** What is heard once for all targets of a namespace. */
export interface NamespaceSnapshot {
  readonly namespace: string;
  /** Sums of the hit-rate events by the worker they name. */
  readonly hitRates: readonly HitRateSum[];
  readonly hitRateTotals: HitRateTotals;
}

export function namespaceSnapshot(namespace: string, { byWorker, totals }: HitRates): NamespaceSnapshot {
  const hitRates = byWorker.values().map(({ worker, islBlocks, overlapBlocks }) => ({
    worker,
    islBlocks,
    overlapBlocks,
  }));
  return { namespace, hitRates: [...hitRates], hitRateTotals: totals };
}

export interface TargetSnapshot {
  readonly target: Target;
  readonly namespace: NamespaceSnapshot;
  /** True when all that the target needs was reached, with or without workers. */
  readonly up: boolean;
  /** False when etcd shows that all workers there are can be seen without NATS. */
  readonly needsNats: boolean;
  /** The last round that was tried, and when the last one ended that did not fail. */
  readonly lastRound: RoundSummary | undefined;
  readonly lastGoodRoundAt: Instant | undefined;
  readonly lastCompleteRoundAt: Instant | undefined;
  /** True while etcd says who is there; false while it is who answers. */
  readonly membershipFromEtcd: boolean;
  /** Ordered by id. */
  readonly workers: readonly WorkerSnapshot[];
  readonly workersByState: Readonly<Record<WorkerState, number>>;
  /** Over the workers that have load; undefined when none has. */
  readonly load: LoadAggregate | undefined;
  /** When the oldest and the newest load arrived that is shown; undefined when none is. */
  readonly loadFrom: { readonly oldest: Instant; readonly newest: Instant } | undefined;
  /** Endpoints that have instances, while nobody is registered at this one; the first ones. */
  readonly registeredInstead: readonly string[];
  /** What became of the workers lately. */
  readonly changes: Pick<Changes, "log" | "losses" | "since">;
  /** When time alone changes what it shows, in monotonic milliseconds; Infinity if it does not. */
  readonly changesAtMs: number;
}

export interface SnapshotOptions {
  readonly registeredInstead?: readonly string[];
  readonly namespace: NamespaceSnapshot;
  readonly now: Instant;
  readonly limits: FleetLimits;
  /** Whether NATS is there, where workers are heard on it and nobody asks them. */
  readonly hearsNats?: boolean;
  /** Whether NATS is used at all; unless false. */
  readonly withNats?: boolean;
  /** Whether totals of model cards count; unless false. */
  readonly withCards?: boolean;
  /** Why pages of workers are not read. */
  readonly pageProblems?: ReadonlyMap<WorkerId, string>;
}

/** What the workers of a fleet show at `now`, however long the parts take. While rounds fail nobody's load is known. */
export function* snapshotInParts(fleet: Fleet, options: SnapshotOptions): Parts<TargetSnapshot> {
  const { namespace, registeredInstead = [], hearsNats = false, withNats = true } = options;
  const roundsWork = fleet.lastRound !== undefined && !fleet.lastRound.failed;
  const forWorkers = { ...options, roundsWork, byService: fleet.byService };
  const workers: WorkerSnapshot[] = [];
  const workersByState = { discovered: 0, responding: 0, no_data: 0, undecodable: 0, silent: 0 };
  const activeBlocks: number[] = [];
  let loadFrom: { oldest: Instant; newest: Instant } | undefined;
  let changesAtMs = Infinity;
  yield* each(fleet.workers.values(), (worker) => {
    const shown = new WorkerSnapshot(worker, forWorkers);
    workers.push(shown);
    workersByState[shown.state]++;
    changesAtMs = Math.min(changesAtMs, shown.changesAtMs);
    if (shown.numbers.activeBlocks === undefined) return;
    activeBlocks.push(shown.numbers.activeBlocks);
    loadFrom = widen(loadFrom, shown.blocksAt!);
  });
  // Told to do without NATS, workers that are heard in another way do not need it.
  const needsNats = fleet.needsNats && (withNats || workersByState.discovered > 0);
  const up = roundsWork || hearsNats || !needsNats && fleet.membershipFromEtcd;
  return {
    target: fleet.target,
    namespace,
    up,
    needsNats,
    lastRound: fleet.lastRound,
    lastGoodRoundAt: fleet.lastGoodRoundAt,
    lastCompleteRoundAt: fleet.lastCompleteRoundAt,
    membershipFromEtcd: fleet.membershipFromEtcd,
    workers,
    workersByState,
    load: aggregateLoad(activeBlocks),
    loadFrom,
    registeredInstead,
    changes: fleet.changes,
    changesAtMs,
  };
}

function widen(span: { oldest: Instant; newest: Instant } | undefined, at: Instant) {
  if (span === undefined) return { oldest: at, newest: at };
  return {
    oldest: at.monotonicMs < span.oldest.monotonicMs ? at : span.oldest,
    newest: at.monotonicMs > span.newest.monotonicMs ? at : span.newest,
  };
}
