import type { Load } from "../dynamo/load.ts";
import type { ModelCard } from "../dynamo/model_card.ts";
import type { Releases } from "../dynamo/release.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { Channel } from "../events/observation.ts";
import type { Answer, EndpointCounters } from "../scrape/answer.ts";
import type { Instant } from "../timing.ts";
import { isFirstPassPending, passlessSince } from "./activity.ts";
import { channelsOf, type Heard, NOTHING_HEARD, rankBeats, saysAnything, saysLoad } from "./heard.ts";
import type { RankNumbers } from "./rank_reading.ts";
import { mergeNumbers, type RankCoverage, type WorkerNumbers } from "./worker_numbers.ts";
import { type FleetLimits, isStale, lastSign, type Worker } from "./worker.ts";
import { workerRelease } from "./worker_release.ts";

/** A worker's state, by its registration and its last answer; see ARCHITECTURE.md. */
export const WORKER_STATES = ["discovered", "responding", "no_data", "undecodable", "silent"] as const;
export type WorkerState = typeof WORKER_STATES[number];

/** What a worker shows at one moment. */
export class WorkerSnapshot { // No literal: see ARCHITECTURE.md, "Memory".
  readonly id: WorkerId;
  readonly state: WorkerState;
  /** It gave no sign of life for long although it could have been heard: not so of all that are silent while NATS is away. */
  readonly hasFallenSilent: boolean;
  /** Whether etcd lists it; undefined while etcd does not say. */
  readonly registered: boolean | undefined;
  /** When it last answered, silent or not; undefined while it never did. */
  readonly lastAnswerAt: Instant | undefined;
  /** What it answered of itself; undefined while that is not known or no longer true. */
  readonly load: Load | undefined;
  /** What all channels say of it together, as far as that is known and still true. */
  readonly numbers: WorkerNumbers;
  /** Its ranks, of a worker that has several, or a silent one. */
  readonly ranks: readonly RankNumbers[];
  /** How many of its ranks the numbers are over; undefined of a worker with one. */
  readonly coverage: RankCoverage | undefined;
  /** Since when requests are in flight and no forward pass ended, if that is so long that it is stuck. */
  readonly stuckSince: Instant | undefined;
  readonly stuckSeconds: number | undefined;
  /** Requests are in flight, and the engine has not finished its first pass. */
  readonly isFirstPassPending: boolean;
  /** Why its page is not read; undefined if it is, or if no page is known of. */
  readonly pageProblem: string | undefined;
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

  /** When the blocks in use were said that `numbers` has. */
  readonly blocksAt: Instant | undefined;
  /** When time alone changes what it shows, in monotonic milliseconds; Infinity if it does not. */
  readonly changesAtMs: number;

  constructor(worker: Worker, options: WorkerSnapshotOptions) {
    const { id, registered, registration: { card, releases, unitReleases } } = worker;
    const sign = lastSign(worker);
    const isSilent = sign !== undefined && isStale(sign, options);
    const answer = worker.answer && !isStale(worker.answer.at, options) ? worker.answer : undefined;
    const heard = isSilent ? NOTHING_HEARD : worker.heard;
    const counted = options.roundsWork ? answer : undefined;
    const channelCard = options.withCards === false ? undefined : card;
    const beats = rankBeats(heard);
    const { numbers, blocksAt, ranks, coverage } = mergeNumbers({
      answer: counted,
      heard,
      card: isSilent ? undefined : channelCard,
      possible: unitReleases,
      prefixHits: worker.prefixHits,
      evidence: worker.evidence,
      silentRanks: silentRanks(beats, options),
    });
    const passless = passlessSince(worker.activity, { heard, ranks: card?.ranks ?? 1 });
    this.id = id;
    this.state = isSilent ? "silent" : stateOf(answer, heard);
    this.hasFallenSilent = worker.silence !== undefined;
    this.registered = registered;
    this.lastAnswerAt = sign;
    this.load = counted?.outcome.kind === "load" ? counted.outcome.load : undefined;
    this.numbers = numbers;
    this.blocksAt = blocksAt;
    this.ranks = ranks;
    this.coverage = coverage;
    const passlessMs = passless === undefined ? 0 : options.now.monotonicMs - passless.monotonicMs;
    const isStuck = passless !== undefined && passlessMs >= options.limits.stuckAfterMs;
    this.stuckSince = isStuck ? passless : undefined;
    this.stuckSeconds = isStuck ? passlessMs / 1_000 : undefined;
    this.isFirstPassPending = isFirstPassPending(worker.activity, heard);
    this.pageProblem = options.pageProblems?.get(id);
    this.estimates = estimatesOf(heard);
    this.changesAtMs = changesAtMs({ sign, beats, passless }, options);
    this.channels = channelsOf({ answer, heard, card: channelCard });
    this.card = card;
    this.release = workerRelease({ registered: releases, answer, byService: options.byService });
    this.service = answer && new AnsweringService(answer.service, answer.serviceVersion);
    this.endpoints = counted?.endpoints ?? [];
  }
}

export interface WorkerSnapshotOptions {
  readonly now: Instant;
  readonly limits: FleetLimits;
  /** False while nobody's load is known by answers. */
  readonly roundsWork: boolean;
  /** The releases whose workers answer under each service name. */
  readonly byService: ReadonlyMap<string, Releases>;
  /** Whether totals of model cards count; unless false. */
  readonly withCards?: boolean;
  /** Why pages of workers are not read. */
  readonly pageProblems?: ReadonlyMap<WorkerId, string>;
}

/** Of each rank that sends heartbeats whether they have ended. */
function silentRanks(
  beats: ReadonlyMap<number, Instant>,
  options: WorkerSnapshotOptions,
): ReadonlyMap<number, boolean> {
  if (beats.size === 0) return NO_SILENT_RANKS;
  const silent = new Map<number, boolean>();
  for (const [dpRank, at] of beats) silent.set(dpRank, isStale(at, options));
  return silent;
}

const NO_SILENT_RANKS: ReadonlyMap<number, boolean> = new Map();

/** The next moment at which a sign of life becomes stale, a rank silent, or the worker stuck. */
function changesAtMs(
  { sign, beats, passless }: {
    readonly sign: Instant | undefined;
    readonly beats: ReadonlyMap<number, Instant>;
    readonly passless: Instant | undefined;
  },
  { now: { monotonicMs: nowMs }, limits: { staleAfterMs, stuckAfterMs } }: WorkerSnapshotOptions,
): number {
  let next = Infinity;
  const ends = sign === undefined ? Infinity : sign.monotonicMs + staleAfterMs;
  if (ends > nowMs) next = ends;
  for (const { monotonicMs } of beats.values()) {
    if (monotonicMs + staleAfterMs > nowMs) next = Math.min(next, monotonicMs + staleAfterMs);
  }
  const stucks = passless === undefined ? Infinity : passless.monotonicMs + stuckAfterMs;
  return stucks > nowMs ? Math.min(next, stucks) : next;
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

/** What all channels say together: numbers by any way are load, a page without any is an answer without. */
function stateOf(answer: Answer | undefined, heard: Heard): WorkerState {
  if (answer?.outcome.kind === "load" || saysLoad(heard)) return "responding";
  return answer?.outcome.kind ?? (saysAnything(heard) ? "no_data" : "discovered");
}

const NO_ESTIMATES: readonly Estimate[] = [];

function estimatesOf(heard: Heard): readonly Estimate[] {
  if (heard.size === 0) return NO_ESTIMATES;
  return [...heard.values()].flatMap(({ dpRank, said }) =>
    said.kind === "router" && typeof dpRank === "number"
      ? [{
        router: said.router,
        dpRank,
        activeDecodeBlocks: said.activeDecodeBlocks,
        activePrefillTokens: said.activePrefillTokens,
      }]
      : []
  );
}
