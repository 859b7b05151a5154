import type { Load } from "../dynamo/load.ts";
import type { ModelCard } from "../dynamo/model_card.ts";
import type { Releases } from "../dynamo/release.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { Channel } from "../events/observation.ts";
import type { Answer, EndpointCounters } from "../scrape/answer.ts";
import type { Instant } from "../timing.ts";
import { aggregateLoad, type LoadAggregate } from "./aggregate.ts";
import type { Fleet, RoundSummary } from "./fleet.ts";
import { PART, type Parts, whole } from "./parts.ts";
import { type FleetLimits, isStale, lastSign, type Worker } from "./worker.ts";
import {
  channelsOf,
  type Heard,
  mergeNumbers,
  NOTHING_HEARD,
  type RankNumbers,
  rankNumbers,
  saysAnything,
  saysLoad,
  type WorkerNumbers,
} from "./heard.ts";
import { workerRelease } from "./worker_release.ts";
import type { HitRateSum, HitRateTotals } from "./hit_rates.ts";

/** Everything that outputs show, at one moment: one value for the page, the push and all else, so they cannot disagree. */
export interface Snapshot {
  /** Grows by one with each Snapshot of a process. */
  readonly seq: number;
  readonly at: Instant;
  /** Undefined when the program was told to do without NATS. */
  readonly nats: { readonly connected: boolean; readonly reconnects: number } | undefined;
  /** Where workers are registered; undefined when the program was told to do without. */
  readonly store: { readonly kind: "etcd" | "file"; readonly connected: boolean } | undefined;
  readonly targets: readonly TargetSnapshot[];
}

export interface TargetSnapshot {
  readonly target: Target;
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
  /** Sums of the namespace's hit-rate events by the worker they name. */
  readonly hitRates: readonly HitRateSum[];
  readonly hitRateTotals: HitRateTotals;
}

/** A worker's state, by its registration and its last answer; see ARCHITECTURE.md. */
export const WORKER_STATES = ["discovered", "responding", "no_data", "undecodable", "silent"] as const;
export type WorkerState = typeof WORKER_STATES[number];

export class WorkerSnapshot { // No literal: see ARCHITECTURE.md, "Memory".
  readonly id: WorkerId;
  readonly state: WorkerState;
  /** Whether etcd lists it; undefined while etcd does not say. */
  readonly registered: boolean | undefined;
  /** When it last answered, silent or not; undefined while it never did. */
  readonly lastAnswerAt: Instant | undefined;
  /** What it answered of itself; undefined while that is not known or no longer true. */
  readonly load: Load | undefined;
  /** What all channels say of it together, as far as that is known and still true. */
  readonly numbers: WorkerNumbers;
  /** Its ranks, of a worker that has several. */
  readonly ranks: readonly RankNumbers[];
  /** Routers' estimates of it. */
  readonly estimates: readonly Estimate[];
  /** By which ways it is seen. */
  readonly channels: ReadonlySet<Channel>;
  readonly card: ModelCard | undefined;
  /** As far as what it shows tells: `0.7.1`, `0.1.1-0.2.0`, `1.5.1+`. */
  readonly release: string | undefined;
  /** Of its last answer, while that is not stale. */
  readonly service: AnsweringService | undefined;
  readonly endpoints: readonly EndpointCounters[];

  constructor(shown: WorkerSnapshot) {
    this.id = shown.id;
    this.state = shown.state;
    this.registered = shown.registered;
    this.lastAnswerAt = shown.lastAnswerAt;
    this.load = shown.load;
    this.numbers = shown.numbers;
    this.ranks = shown.ranks;
    this.estimates = shown.estimates;
    this.channels = shown.channels;
    this.card = shown.card;
    this.release = shown.release;
    this.service = shown.service;
    this.endpoints = shown.endpoints;
  }
}

/** The NATS service under which a worker answers. */
export class AnsweringService {
  constructor(readonly name: string, readonly version: string | undefined) {}
}

/** What a router thinks of one rank of a worker. */
export interface Estimate {
  readonly router: string;
  readonly dpRank: number;
  readonly activeDecodeBlocks: number | undefined;
  readonly activePrefillTokens: number | undefined;
}

export interface SnapshotOptions {
  readonly now: Instant;
  readonly limits: FleetLimits;
  /** Whether NATS is there, where workers are heard on it and nobody asks them. */
  readonly hearsNats?: boolean;
  /** Whether NATS is used at all; unless false. */
  readonly withNats?: boolean;
  /** Whether totals of model cards count; unless false. */
  readonly withCards?: boolean;
}

/** What the workers of a fleet show at `now`, at once. While rounds fail nobody's load is known. */
export function snapshotTarget(fleet: Fleet, options: SnapshotOptions): TargetSnapshot {
  return whole(snapshotInParts(fleet, options));
}

/** What the workers of this fleet show at `now`, however long the parts take. */
export function* snapshotInParts(fleet: Fleet, options: SnapshotOptions): Parts<TargetSnapshot> {
  const { hearsNats = false, withNats = true } = options;
  const roundsWork = fleet.lastRound !== undefined && !fleet.lastRound.failed;
  const needsNats = fleet.needsNats && (withNats || fleet.workers.size > 0);
  const up = roundsWork || hearsNats || !needsNats && fleet.membershipFromEtcd;
  const forWorkers = { ...options, roundsWork, byService: fleet.byService };
  const workers: WorkerSnapshot[] = [];
  const workersByState = { discovered: 0, responding: 0, no_data: 0, undecodable: 0, silent: 0 };
  const activeBlocks: number[] = [];
  let loadFrom: { oldest: Instant; newest: Instant } | undefined;
  for (const worker of fleet.workers.values()) {
    if (workers.length % PART === 0) yield;
    const { shown, blocksAt } = snapshotWorker(worker, forWorkers);
    workers.push(shown);
    workersByState[shown.state]++;
    if (shown.numbers.activeBlocks === undefined) continue;
    activeBlocks.push(shown.numbers.activeBlocks);
    loadFrom = widen(loadFrom, blocksAt!);
  }
  return {
    target: fleet.target,
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

/** The moment, in monotonic milliseconds, at which the next sign of life becomes stale; undefined when none will. */
export function nextExpiryMs(
  fleet: Fleet,
  options: { now: Instant; limits: FleetLimits },
): number | undefined {
  let oldest = Infinity;
  for (const worker of fleet.workers.values()) {
    const at = lastSign(worker);
    if (at && !isStale(at, options)) oldest = Math.min(oldest, at.monotonicMs);
  }
  return oldest === Infinity ? undefined : oldest + options.limits.staleAfterMs;
}

function snapshotWorker(
  worker: Worker,
  options: SnapshotOptions & {
    readonly roundsWork: boolean;
    readonly byService: ReadonlyMap<string, Releases>;
  },
): { shown: WorkerSnapshot; blocksAt: Instant | undefined } {
  const { id, registered, registration: { card, releases } } = worker;
  const sign = lastSign(worker);
  const isSilent = sign !== undefined && isStale(sign, options);
  const answer = worker.answer && !isStale(worker.answer.at, options) ? worker.answer : undefined;
  const heard = isSilent ? NOTHING_HEARD : worker.heard;
  const counted = options.roundsWork ? answer : undefined;
  const channelCard = options.withCards === false ? undefined : card;
  const { numbers, blocksAt } = mergeNumbers({
    answer: counted,
    heard,
    card: isSilent ? undefined : channelCard,
  });
  const shown = new WorkerSnapshot({
    id,
    registered,
    card,
    lastAnswerAt: sign,
    state: stateOf({ isSilent, answer, heard }),
    load: counted?.outcome.kind === "load" ? counted.outcome.load : undefined,
    numbers,
    ranks: rankNumbers(heard),
    estimates: estimatesOf(heard),
    channels: channelsOf({ answer, heard, card: channelCard }),
    release: workerRelease({ registered: releases, answer, byService: options.byService }),
    service: answer && new AnsweringService(answer.service, answer.serviceVersion),
    endpoints: counted?.endpoints ?? [],
  });
  return { shown, blocksAt };
}

/** What all channels say together: numbers by any way are load, a page without any is an answer without. */
function stateOf(
  { isSilent, answer, heard }: { isSilent: boolean; answer: Answer | undefined; heard: Heard },
): WorkerState {
  if (isSilent) return "silent";
  if (answer?.outcome.kind === "load" || saysLoad(heard)) return "responding";
  return answer?.outcome.kind ?? (saysAnything(heard) ? "no_data" : "discovered");
}

const NO_ESTIMATES: readonly Estimate[] = [];

function estimatesOf(heard: Heard): readonly Estimate[] {
  if (heard.size === 0) return NO_ESTIMATES;
  return [...heard.values()].flatMap(({ dpRank, said }) =>
    said.kind === "router"
      ? [{
        router: said.router,
        dpRank,
        activeDecodeBlocks: said.activeDecodeBlocks,
        activePrefillTokens: said.activePrefillTokens,
      }]
      : []
  );
}
