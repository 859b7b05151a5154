import type { Load } from "../dynamo/load.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { EndpointCounters } from "../scrape/answer.ts";
import type { Instant } from "../timing.ts";
import { aggregateLoad, type LoadAggregate } from "./aggregate.ts";
import { type Fleet, type FleetLimits, isStale, type RoundSummary, type Worker } from "./fleet.ts";
import type { HitRateSum, HitRateTotals } from "./hit_rates.ts";

/** Everything that outputs show, at one moment: one value for the page, the push and all else, so they cannot disagree. */
export interface Snapshot {
  /** Grows by one with each Snapshot of a process. */
  readonly seq: number;
  readonly at: Instant;
  readonly nats: { readonly connected: boolean; readonly reconnects: number };
  /** Undefined when the program was told to do without etcd. */
  readonly etcd: { readonly connected: boolean } | undefined;
  readonly targets: readonly TargetSnapshot[];
}

export interface TargetSnapshot {
  readonly target: Target;
  /** True when the last round could be sent and collected, with or without workers. */
  readonly up: boolean;
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
  /** Sums of the namespace's hit-rate events by the worker they name. */
  readonly hitRates: readonly HitRateSum[];
  readonly hitRateTotals: HitRateTotals;
}

/** A worker's state, by its registration and its last answer; see ARCHITECTURE.md. */
export const WORKER_STATES = ["discovered", "responding", "no_data", "undecodable", "silent"] as const;
export type WorkerState = typeof WORKER_STATES[number];

export interface WorkerSnapshot {
  readonly id: WorkerId;
  readonly state: WorkerState;
  /** Whether etcd lists it; undefined while etcd does not say. */
  readonly registered: boolean | undefined;
  /** When it last answered, silent or not; undefined while it never did. */
  readonly lastAnswerAt: Instant | undefined;
  /** What it says of itself; undefined while that is not known or no longer true. */
  readonly load: Load | undefined;
  /** Of its last answer, while that is not stale. */
  readonly service: { readonly name: string; readonly version: string | undefined } | undefined;
  readonly endpoints: readonly EndpointCounters[];
}

/** What the workers of a fleet show at `now`. While rounds fail nobody's load is known. */
export function snapshotTarget(
  fleet: Fleet,
  options: { now: Instant; limits: FleetLimits },
): TargetSnapshot {
  const up = fleet.lastRound !== undefined && !fleet.lastRound.failed;
  const workers: WorkerSnapshot[] = [];
  const workersByState = { discovered: 0, responding: 0, no_data: 0, undecodable: 0, silent: 0 };
  const activeBlocks: number[] = [];
  let loadFrom: { oldest: Instant; newest: Instant } | undefined;
  for (const worker of fleet.workers.values()) {
    const shown = snapshotWorker(worker, { ...options, up });
    workers.push(shown);
    workersByState[shown.state]++;
    if (shown.load === undefined) continue;
    activeBlocks.push(shown.load.activeBlocks);
    loadFrom = widen(loadFrom, shown.lastAnswerAt!);
  }
  return {
    target: fleet.target,
    up,
    lastRound: fleet.lastRound,
    lastGoodRoundAt: fleet.lastGoodRoundAt,
    lastCompleteRoundAt: fleet.lastCompleteRoundAt,
    membershipFromEtcd: fleet.membershipFromEtcd,
    workers,
    workersByState,
    load: aggregateLoad(activeBlocks),
    loadFrom,
    hitRates: [...fleet.hitRates.byWorker.values()].map(({ worker, islBlocks, overlapBlocks }) => ({
      worker,
      islBlocks,
      overlapBlocks,
    })),
    hitRateTotals: fleet.hitRates.totals,
  };
}

function widen(span: { oldest: Instant; newest: Instant } | undefined, at: Instant) {
  if (span === undefined) return { oldest: at, newest: at };
  return {
    oldest: at.monotonicMs < span.oldest.monotonicMs ? at : span.oldest,
    newest: at.monotonicMs > span.newest.monotonicMs ? at : span.newest,
  };
}

/** The moment, in monotonic milliseconds, at which the next answer becomes stale; undefined when none will. */
export function nextExpiryMs(
  fleet: Fleet,
  options: { now: Instant; limits: FleetLimits },
): number | undefined {
  let oldest = Infinity;
  for (const { answer } of fleet.workers.values()) {
    if (answer && !isStale(answer, options)) oldest = Math.min(oldest, answer.at.monotonicMs);
  }
  return oldest === Infinity ? undefined : oldest + options.limits.staleAfterMs;
}

function snapshotWorker(
  { id, registered, answer }: Worker,
  options: { now: Instant; limits: FleetLimits; up: boolean },
): WorkerSnapshot {
  const known = { id, registered, lastAnswerAt: answer?.at };
  if (answer === undefined || isStale(answer, options)) {
    const state = answer === undefined ? "discovered" : "silent";
    return { ...known, state, load: undefined, service: undefined, endpoints: [] };
  }
  const { outcome } = answer;
  return {
    ...known,
    state: outcome.kind === "load" ? "responding" : outcome.kind,
    load: options.up && outcome.kind === "load" ? outcome.load : undefined,
    service: { name: answer.service, version: answer.serviceVersion },
    endpoints: options.up ? answer.endpoints : [],
  };
}
