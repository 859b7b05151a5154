import type { Load, Mutable, SpecDecode } from "../dynamo/load.ts";
import type { ModelCard } from "../dynamo/model_card.ts";
import type { Releases } from "../dynamo/release.ts";
import type { Answer } from "../scrape/answer.ts";
import type { Instant } from "../timing.ts";
import type { Heard } from "./heard.ts";
import type { PrefixHits } from "./prefix_hits.ts";
import type { RankNumbers } from "./rank_reading.ts";
import { type Spoken, SpokenNumbers } from "./spoken_numbers.ts";
import type { BlockEvidence } from "./worker_units.ts";

/** What is known of a worker's load, all ranks together, whoever said it. What nobody says is absent, never 0. */
export interface WorkerNumbers {
  readonly activeBlocks?: number;
  readonly totalBlocks?: number;
  readonly activeSlots?: number;
  readonly totalSlots?: number;
  readonly requestsWaiting?: number;
  /** What its page says of `generate`: running, waiting, and not yet in the engine. Never part of the two. */
  readonly requestsInFlight?: number;
  /** 0 to 1; of used and total blocks where no channel says it. */
  readonly cacheUsageRatio?: number;
  readonly prefixHitRatio?: number;
  readonly specDecode?: SpecDecode;
}

/** How many of a worker's ranks its numbers are over, of a worker with several. */
export interface RankCoverage {
  /** As the card says; undefined without a card. */
  readonly expected: number | undefined;
  /** The fewest that a shown number is over; all if the engine says its numbers as a whole. */
  readonly heard: number;
  /** How many the used blocks are over, and the running requests. */
  readonly blocks: number;
  readonly running: number;
}

export interface Merged {
  readonly numbers: WorkerNumbers;
  /** When the used blocks were said. */
  readonly blocksAt: Instant | undefined;
  /** By number: of a worker with several, or with a silent one. */
  readonly ranks: readonly RankNumbers[];
  readonly coverage: RankCoverage | undefined;
}

export interface NumberSources {
  readonly answer: Answer | undefined;
  readonly heard: Heard;
  readonly card: ModelCard | undefined;
  /** The releases whose units the worker's numbers have. */
  readonly possible: Releases;
  readonly prefixHits: PrefixHits;
  readonly evidence: BlockEvidence;
  /** Ranks whose heartbeats are heard (false), or have ended (true). What is known of these is no longer true. */
  readonly silentRanks: ReadonlyMap<number, boolean>;
}

/**
 * Puts a worker's numbers together. Used blocks and usage belong to one moment, the newest; of all else the newest word
 * counts. Totals are the card's where nobody says them of all ranks.
 */
export function mergeNumbers(sources: NumberSources): Merged {
  const { answer, heard, card } = sources;
  if (heard.size === 0 && card === undefined) return onlyAnswered(answer);
  const spoken = new SpokenNumbers(sources).sum();
  return answer?.outcome.kind === "load" ? withAnswer(spoken, answer) : spoken;
}

/** What most workers of a large fleet are: seen by their answers alone. */
function onlyAnswered(answer: Answer | undefined): Merged {
  if (answer?.outcome.kind !== "load") return NOTHING_SAID;
  const { load } = answer.outcome;
  const ratio = load.cacheUsageRatio ??
    (load.totalBlocks === 0 ? undefined : load.activeBlocks / load.totalBlocks);
  const isWhole = ratio === load.cacheUsageRatio && (ratio ?? 0) <= 1;
  return { ...NOTHING_SAID, numbers: isWhole ? load : withUsage(load, ratio), blocksAt: answer.at };
}

const NOTHING_SAID: Merged = { numbers: {}, blocksAt: undefined, ranks: [], coverage: undefined };

/** A usage above 1 is never shown. */
function withUsage<T extends WorkerNumbers>(numbers: T, ratio: number | undefined): T {
  const { cacheUsageRatio: _, ...others } = numbers;
  return (ratio === undefined || ratio > 1 ? others : { ...others, cacheUsageRatio: ratio }) as T;
}

/** What is newer of what a worker answered and of what it says by itself. */
function withAnswer(spoken: Spoken, answer: Answer): Merged {
  const { numbers: known, blocksAt, requestsAt, countsHits, coverage } = spoken;
  if (answer.outcome.kind !== "load") return spoken;
  const { shape: _, dpRank: __, ...answered } = onlyAnswered(answer).numbers as Load;
  const isNewer = (at: Instant | undefined) => at === undefined || answer.at.monotonicMs >= at.monotonicMs;
  const areBlocksNewer = isNewer(blocksAt);
  const merged: Mutable<WorkerNumbers> = isNewer(requestsAt)
    ? { ...known, ...answered }
    : { ...answered, ...known };
  const blocks: WorkerNumbers = areBlocksNewer ? answered : known;
  put(merged, "activeBlocks", blocks.activeBlocks);
  put(merged, "cacheUsageRatio", blocks.cacheUsageRatio);
  if (areBlocksNewer || known.totalBlocks === undefined) merged.totalBlocks = answered.totalBlocks;
  if (countsHits) put(merged, "prefixHitRatio", known.prefixHitRatio);
  return {
    ...spoken,
    numbers: merged,
    blocksAt: areBlocksNewer ? answer.at : blocksAt,
    // An answer is of the whole worker.
    coverage: coverage && spoken.ranks.length === 0 ? undefined : coverage,
  };
}

/** Sets a field, or takes it away. */
function put<K extends keyof WorkerNumbers>(
  numbers: Mutable<WorkerNumbers>,
  field: K,
  value: WorkerNumbers[K] | undefined,
): void {
  if (value === undefined) delete numbers[field];
  else numbers[field] = value;
}
