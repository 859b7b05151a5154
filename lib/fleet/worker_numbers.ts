import type { Load, Mutable, SpecDecode } from "../dynamo/load.ts";
import type { ModelCard } from "../dynamo/model_card.ts";
import type { Releases } from "../dynamo/release.ts";
import type { Engine } from "../dynamo/units.ts";
import type { PageNumbers } from "../dynamo/worker_page.ts";
import type { Answer } from "../scrape/answer.ts";
import type { Instant } from "../timing.ts";
import type { Heard } from "./heard.ts";
import { prefixHitRatio, type PrefixHits } from "./prefix_hits.ts";
import { type RankNumbers, RankReading, type RankSum, usageOf, usedBlocksOf } from "./rank_reading.ts";
import { type BlockEvidence, WorkerUnits } from "./worker_units.ts";

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
  /** The fewest that a shown number is over; all if the engine says the number as a whole. */
  readonly heard: number;
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
  const { numbers: known, blocksAt, requestsAt } = spoken;
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
  return { ...spoken, numbers: merged, blocksAt: areBlocksNewer ? answer.at : blocksAt };
}

interface Spoken extends Merged {
  /** When running or waiting requests were said. */
  readonly requestsAt: Instant | undefined;
}

/** The numbers of a worker that it says by itself, by events and on its pages, over its ranks. */
class SpokenNumbers {
  readonly #sources: NumberSources;
  /** Ranks by their numbers, and those that are of one rank without saying of which. */
  readonly #ranks = new Map<number, RankReading>();
  readonly #unnamed: RankReading[] = [];
  /** What pages say of the whole engine. */
  readonly #engine = new RankReading("engine");
  readonly #isSeveral: boolean;
  readonly #units: WorkerUnits;

  constructor(sources: NumberSources) {
    this.#sources = sources;
    const { card, possible, evidence } = sources;
    const engine = this.#collect();
    const numbered = new Set([...this.#ranks.keys(), ...sources.silentRanks.keys()]).size;
    const ranks = Math.max(card?.ranks ?? 1, numbered + this.#unnamed.length);
    this.#isSeveral = ranks > 1;
    this.#units = new WorkerUnits({ card, possible, engine, ranks, evidence });
  }

  sum(): Spoken {
    const { readings, sums } = this.#rankSums();
    const numbers: Mutable<WorkerNumbers> = {};
    const page = this.#engine.page;
    set(numbers, "requestsInFlight", this.#inFlight());
    this.#sumTotals(numbers, sums, page);
    const coverages = [
      this.#sumBlocks(numbers, sums, page),
      this.#sumField(numbers, "activeSlots", {
        parts: sums.map(({ running }) => running),
        whole: page.running,
      }),
      this.#sumField(numbers, "requestsWaiting", {
        parts: sums.map(({ waiting }) => waiting),
        whole: page.waiting,
      }),
      this.#sumHits(numbers, readings, page),
    ].filter((heard) => heard !== undefined);
    const loads = readings.flatMap(({ load }) => load ?? []);
    if (loads.length === 1) set(numbers, "specDecode", loads[0]!.load.specDecode);
    return {
      numbers,
      blocksAt: newest([...sums.map(({ blocksAt }) => blocksAt), this.#engine.pageAt]),
      requestsAt: newest(sums.map(({ requestsAt }) => requestsAt)),
      ranks: this.#rankNumbers(readings, sums),
      coverage: this.#coverage(coverages, readings.length),
    };
  }

  /** Puts each observation where it belongs; gives the engine that the pages are of. */
  #collect(): Engine | undefined {
    const { heard, card, silentRanks } = this.#sources;
    let engine: Engine | undefined;
    const others = [];
    for (const observation of heard.values()) {
      const { said, dpRank } = observation;
      if (said.kind === "page") engine ??= said.numbers.engine;
      if (said.kind === "router") continue;
      if (typeof dpRank !== "number") others.push(observation);
      else if (silentRanks.get(dpRank) !== true) this.#rank(dpRank).add(observation);
    }
    const isOne = (card?.ranks ?? 1) <= 1 && this.#ranks.size + silentRanks.size <= 1;
    const silentOne = [...silentRanks.values()].includes(true);
    for (const observation of others) {
      if (observation.dpRank === "engine") this.#engine.add(observation);
      // Of a worker with one rank all is of that rank; if it is silent, only what its process says is still true.
      if (isOne && !silentOne) this.#rank([...this.#ranks.keys()][0] ?? 0).add(observation);
      else if (observation.dpRank === "unnamed") this.#addUnnamed(observation);
    }
    return engine;
  }

  #rank(dpRank: number): RankReading {
    return this.#ranks.getOrInsertComputed(dpRank, () => new RankReading(dpRank));
  }

  #addUnnamed(observation: Parameters<RankReading["add"]>[0]): void {
    const reading = new RankReading("unnamed");
    reading.add(observation);
    this.#unnamed.push(reading);
  }

  #rankSums(): { readonly readings: readonly RankReading[]; readonly sums: readonly RankSum[] } {
    const byNumber = [...this.#ranks.values()].sort((a, b) => Number(a.dpRank) - Number(b.dpRank));
    const readings = [...byNumber, ...this.#unnamed];
    const sums = readings.map((reading) => reading.numbers(this.#units));
    const inFlight = this.#inFlight() ?? 0;
    const total = () => sums.reduce((sum, { running, waiting }) => sum + (running ?? 0) + (waiting ?? 0), 0);
    // Ranks without used blocks first: what they give up is then not counted as others' requests.
    const order = sums.map((_, n) => n).sort((a, b) =>
      (sums[a]!.usedBlocks ?? 1) - (sums[b]!.usedBlocks ?? 1)
    );
    for (const n of order) {
      const own = (sums[n]!.running ?? 0) + (sums[n]!.waiting ?? 0);
      readings[n]!.hearHeartbeat(sums[n]!, inFlight - (total() - own));
    }
    return { readings, sums };
  }

  /** Of several pages the greatest: they may be one page under two addresses. */
  #inFlight(): number | undefined {
    let greatest: number | undefined;
    for (const { said } of this.#sources.heard.values()) {
      if (said.kind !== "page" || said.numbers.inFlight === undefined) continue;
      greatest = Math.max(greatest ?? 0, said.numbers.inFlight);
    }
    return greatest;
  }

  /** Sums a field over the ranks, unless only the whole engine says it; gives over how many, if over ranks. */
  #sumField(
    numbers: Mutable<WorkerNumbers>,
    field: "activeSlots" | "requestsWaiting",
    { parts, whole }: { readonly parts: readonly (number | undefined)[]; readonly whole: number | undefined },
  ): number | undefined {
    const known = parts.filter((part) => part !== undefined);
    if (whole !== undefined && known.length < this.#expected(parts.length)) {
      numbers[field] = whole;
      return undefined;
    }
    if (known.length === 0) return undefined;
    numbers[field] = known.reduce((sum, part) => sum + part);
    return known.length;
  }

  #sumBlocks(
    numbers: Mutable<WorkerNumbers>,
    sums: readonly RankSum[],
    page: Partial<PageNumbers>,
  ): number | undefined {
    const known = sums.filter(({ blocksAt }) => blocksAt !== undefined);
    const saysWhole = page.usedBlocks !== undefined || page.cacheUsageRatio !== undefined;
    if (saysWhole && known.length < this.#expected(sums.length)) {
      Object.assign(numbers, wholeBlocks(page, numbers.totalBlocks));
      return undefined;
    }
    if (known.length === 0) return undefined;
    if (known.every(({ usedBlocks }) => usedBlocks !== undefined)) {
      numbers.activeBlocks = known.reduce((sum, { usedBlocks }) => sum + usedBlocks!, 0);
    }
    if (known.every(({ cacheUsageRatio }) => cacheUsageRatio !== undefined)) {
      numbers.cacheUsageRatio = meanUsage(known);
    }
    return known.length;
  }

  #sumHits(
    numbers: Mutable<WorkerNumbers>,
    readings: readonly RankReading[],
    page: Partial<PageNumbers>,
  ): number | undefined {
    const pages = readings.map(({ page }) => page);
    const counting = readings.filter((_, n) => hasCounters(pages[n]!)).map(({ dpRank }) => dpRank);
    if (counting.length > 0) {
      set(numbers, "prefixHitRatio", prefixHitRatio(this.#sources.prefixHits, this.#counters(counting)));
      return numbers.prefixHitRatio === undefined ? undefined : counting.length;
    }
    if (page.prefixHitRatio !== undefined) {
      numbers.prefixHitRatio = page.prefixHitRatio;
      return undefined;
    }
    const known = readings.map(({ load }, n) => load?.load.prefixHitRatio ?? pages[n]!.prefixHitRatio)
      .filter((ratio) => ratio !== undefined);
    if (known.length === 0) return undefined;
    // The mean: gauges do not say how much was looked up at each rank.
    numbers.prefixHitRatio = known.reduce((sum, ratio) => sum + ratio) / known.length;
    return known.length;
  }

  /** Counters are kept under the name that the page has for the rank. */
  #counters(ranks: readonly (number | "engine" | "unnamed")[]): (number | "engine" | "unnamed")[] {
    return this.#isSeveral ? [...ranks] : [...this.#sources.prefixHits.keys()];
  }

  #sumTotals(
    numbers: Mutable<WorkerNumbers>,
    sums: readonly RankSum[],
    page: Partial<PageNumbers>,
  ): void {
    const totals = sums.map(({ totalBlocks }) => totalBlocks).filter((total) => total !== undefined);
    const isWhole = totals.length > 0 && totals.length >= this.#expected(sums.length);
    const summed = isWhole ? totals.reduce((sum, total) => sum + total) : undefined;
    const engineTotal = this.#isSeveral ? page.totalBlocks : undefined;
    set(numbers, "totalBlocks", engineTotal ?? summed ?? this.#units.cardBlocks);
    const slots = [...this.#ranks.values()].flatMap(({ load }) => load ? [load.load.totalSlots] : []);
    const summedSlots = slots.length > 0 ? slots.reduce((sum, total) => sum + total) : undefined;
    set(numbers, "totalSlots", summedSlots ?? this.#units.cardSlots);
  }

  #rankNumbers(readings: readonly RankReading[], sums: readonly RankSum[]): readonly RankNumbers[] {
    const { silentRanks, prefixHits } = this.#sources;
    const silent = [...silentRanks].filter(([, isSilent]) => isSilent).map(([dpRank]) => dpRank);
    if (!this.#isSeveral && silent.length === 0) return NO_RANKS;
    const ranks: RankNumbers[] = silent.map((dpRank) => ({ ...UNKNOWN_RANK, dpRank, isSilent: true }));
    for (const [n, reading] of readings.entries()) {
      const { dpRank } = reading;
      if (typeof dpRank !== "number" || !reading.isHeard) continue;
      const { usedBlocks, running, waiting, cacheUsageRatio } = sums[n]!;
      const page = reading.page;
      ranks.push({
        dpRank,
        usedBlocks,
        running,
        waiting,
        cacheUsageRatio,
        prefixHitRatio: hasCounters(page)
          ? prefixHitRatio(prefixHits, [dpRank])
          : reading.load?.load.prefixHitRatio ?? page.prefixHitRatio,
        isSilent: silentRanks.get(dpRank),
      });
    }
    return ranks.sort((a, b) => a.dpRank - b.dpRank);
  }

  #coverage(coverages: readonly number[], heard: number): RankCoverage | undefined {
    if (!this.#isSeveral) return undefined;
    const { ranks = 1 } = this.#sources.card ?? {};
    const expected = ranks > 1 ? ranks : undefined;
    const isWhole = coverages.length === 0 && this.#engine.isHeard;
    return { expected, heard: Math.min(isWhole ? expected ?? heard : heard, ...coverages) };
  }

  /** How many ranks a sum over all is over. */
  #expected(heard: number): number {
    return this.#isSeveral ? Math.max(this.#sources.card?.ranks ?? 1, heard) : 1;
  }
}

const NO_RANKS: readonly RankNumbers[] = [];

const UNKNOWN_RANK = {
  usedBlocks: undefined,
  running: undefined,
  waiting: undefined,
  cacheUsageRatio: undefined,
  prefixHitRatio: undefined,
};

function hasCounters({ prefixHits, prefixQueries }: Partial<PageNumbers>): boolean {
  return prefixHits !== undefined && prefixQueries !== undefined;
}

/** Used blocks and usage of a whole engine, derived from each other if the page says one of them. */
function wholeBlocks(
  { usedBlocks: used, cacheUsageRatio: usage }: Partial<PageNumbers>,
  totalBlocks: number | undefined,
): Pick<WorkerNumbers, "activeBlocks" | "cacheUsageRatio"> {
  const activeBlocks = used ?? usedBlocksOf(usage, totalBlocks);
  const cacheUsageRatio = usage ?? usageOf(used, totalBlocks);
  return {
    ...(activeBlocks !== undefined && { activeBlocks }),
    ...(cacheUsageRatio !== undefined && cacheUsageRatio <= 1 && { cacheUsageRatio }),
  };
}

/** Of ranks of equal size, or of sizes that are not known, the mean; else each counts by its blocks. */
function meanUsage(ranks: readonly RankSum[]): number {
  const isSized = ranks.every(({ totalBlocks }) => totalBlocks !== undefined);
  let sum = 0;
  let weights = 0;
  for (const { cacheUsageRatio, totalBlocks } of ranks) {
    const weight = isSized ? totalBlocks! : 1;
    sum += cacheUsageRatio! * weight;
    weights += weight;
  }
  return sum / weights;
}

function newest(instants: readonly (Instant | undefined)[]): Instant | undefined {
  return instants.reduce(
    (newest, at) =>
      at !== undefined && (newest === undefined || at.monotonicMs > newest.monotonicMs) ? at : newest,
    undefined,
  );
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

function set<K extends keyof WorkerNumbers>(
  numbers: Mutable<WorkerNumbers>,
  field: K,
  value: WorkerNumbers[K] | undefined,
): void {
  if (value !== undefined) numbers[field] = value;
}
