import type { Mutable } from "../dynamo/load.ts";
import type { Engine } from "../dynamo/units.ts";
import type { PageNumbers } from "../dynamo/worker_page.ts";
import type { Observation } from "../events/observation.ts";
import type { Instant } from "../timing.ts";
import { prefixHitRatio } from "./prefix_hits.ts";
import { type RankNumbers, RankReading, type RankSum, usageOf, usedBlocksOf } from "./rank_reading.ts";
import type { Merged, NumberSources, RankCoverage, WorkerNumbers } from "./worker_numbers.ts";
import { WorkerUnits } from "./worker_units.ts";

/** What a worker says by itself. */
export interface Spoken extends Merged {
  /** When running or waiting requests were said. */
  readonly requestsAt: Instant | undefined;
  /** Whether pages count the prefix cache's hits: then the hit rate is that of the counters. */
  readonly countsHits: boolean;
}

/** The numbers of a worker that it says by itself, by events and on its pages, over its ranks. */
export class SpokenNumbers {
  readonly #sources: NumberSources;
  /** Readings by rank number, without the silent ones. */
  readonly #ranks = new Map<number, RankReading>();
  /** Readings of a rank whose number is not said, if nobody says a number. */
  readonly #unnamed: RankReading[] = [];
  /** What pages say of the whole engine. */
  readonly #engine = new RankReading("engine");
  /** Ranks that send heartbeats, and whether these have ended. */
  readonly #silent: ReadonlyMap<number, boolean>;
  /** How many ranks the worker has. */
  readonly #count: number;
  readonly #units: WorkerUnits;
  #inFlight: number | undefined;

  constructor(sources: NumberSources) {
    this.#sources = sources;
    const { card, possible, evidence } = sources;
    this.#silent = this.#placeSilent();
    const engine = this.#collect();
    const numbered = new Set([...this.#ranks.keys(), ...this.#silent.keys()]).size;
    this.#count = card?.ranks ?? Math.max(1, numbered + this.#unnamed.length);
    this.#units = new WorkerUnits({ card, possible, engine, ranks: this.#count, evidence });
  }

  sum(): Spoken {
    const { readings, sums } = this.#rankSums();
    const numbers: Mutable<WorkerNumbers> = {};
    const page = this.#engine.page;
    set(numbers, "requestsInFlight", this.#inFlight);
    this.#sumTotals(numbers, readings, sums);
    const over = {
      blocks: this.#sumBlocks(numbers, sums, page),
      running: this.#sumRequests(numbers, { sums, field: "running", whole: page.running }),
      waiting: this.#sumRequests(numbers, { sums, field: "waiting", whole: page.waiting }),
      hits: this.#sumHits(numbers, readings, page),
    };
    if (readings.length === 1) set(numbers, "specDecode", readings[0]!.load?.specDecode);
    return {
      numbers,
      blocksAt: over.blocks === undefined ? this.#engine.pageAt : newest(sums, "blocksAt"),
      countsHits: readings.some(({ counters }) => counters.length > 0),
      requestsAt: newest(sums, "requestsAt"),
      ranks: this.#rankNumbers(readings, sums),
      coverage: this.#coverage(over, readings.length),
    };
  }

  /** Puts each observation where it belongs; gives the engine that the pages are of. */
  #collect(): Engine | undefined {
    let engine: Engine | undefined;
    const others: Observation[] = [];
    for (const observation of this.#sources.heard.values()) {
      const { said, dpRank } = observation;
      if (said.kind === "router") continue;
      if (said.kind === "page") {
        engine ??= said.numbers.engine;
        this.#noteInFlight(said.numbers.inFlight);
      }
      const place = typeof dpRank === "number" ? this.#place(dpRank, said) : undefined;
      if (typeof dpRank !== "number") others.push(observation);
      else if (place !== undefined && this.#silent.get(place) !== true) this.#rank(place).add(observation);
    }
    for (const observation of others) this.#addOther(observation);
    return engine;
  }

  /** What is of the whole engine, or of a rank that is not named. Of a worker with one rank all is of that rank. */
  #addOther(observation: Observation): void {
    const { card } = this.#sources;
    const isOne = (card?.ranks ?? 1) <= 1 && this.#ranks.size <= 1 && this.#silent.size <= 1;
    if (isOne && this.#silent.values().some((isSilent) => isSilent)) return;
    if (observation.dpRank === "engine") this.#engine.add(observation);
    if (isOne) this.#rank(this.#ranks.keys().next().value ?? card?.startRank ?? 0).add(observation);
    else if (observation.dpRank === "unnamed" && this.#ranks.size === 0) this.#addUnnamed(observation);
  }

  /**
   * The rank's number; undefined if it is none of the card's. Pages may count from 0 where the card begins with another
   * number, and if there is one rank everything is of it.
   */
  #place(dpRank: number, said?: Observation["said"]): number | undefined {
    const { card } = this.#sources;
    if (card === undefined) return dpRank;
    const { ranks, startRank = 0 } = card;
    if (ranks === 1) return startRank;
    const place = said?.kind === "page" && dpRank < startRank ? startRank + dpRank : dpRank;
    return place >= startRank && place < startRank + ranks ? place : undefined;
  }

  #placeSilent(): ReadonlyMap<number, boolean> {
    const silent = new Map<number, boolean>();
    for (const [dpRank, isSilent] of this.#sources.silentRanks) {
      const place = this.#place(dpRank);
      if (place !== undefined) silent.set(place, isSilent && silent.get(place) !== false);
    }
    return silent;
  }

  #rank(dpRank: number): RankReading {
    return this.#ranks.getOrInsertComputed(dpRank, () => new RankReading(dpRank));
  }

  /** Whether a page says of the whole engine of several ranks that it works. */
  get #isEngineBusy(): boolean {
    const { running = 0, cacheUsageRatio = 0 } = this.#engine.page;
    return this.#isSeveral && (running > 0 || cacheUsageRatio > 0);
  }

  get #isSeveral(): boolean {
    return this.#count > 1;
  }

  /** Of several pages the greatest: they may be one page under two addresses. */
  #noteInFlight(inFlight: number | undefined): void {
    if (inFlight !== undefined) this.#inFlight = Math.max(this.#inFlight ?? 0, inFlight);
  }

  #addUnnamed(observation: Observation): void {
    const reading = new RankReading("unnamed");
    reading.add(observation);
    this.#unnamed.push(reading);
  }

  #rankSums(): { readonly readings: readonly RankReading[]; readonly sums: readonly RankSum[] } {
    const readings = [...this.#ranks.values(), ...this.#unnamed];
    const sums = readings.map((reading) => reading.numbers(this.#units));
    const inFlight = this.#isEngineBusy ? Infinity : this.#inFlight ?? 0;
    if (readings.length === 1) {
      readings[0]!.hearHeartbeat(sums[0]!, inFlight);
      return { readings, sums };
    }
    // Ranks with 0 used blocks go first. Once such a rank is set to idle, its old requests no longer count against the others.
    const order = sums.map((_, n) => n).sort((a, b) =>
      (sums[a]!.usedBlocks ?? 1) - (sums[b]!.usedBlocks ?? 1)
    );
    let requests = sums.reduce((sum, one) => sum + requestsOf(one), 0);
    for (const n of order) {
      const own = requestsOf(sums[n]!);
      readings[n]!.hearHeartbeat(sums[n]!, inFlight - (requests - own));
      requests += requestsOf(sums[n]!) - own;
    }
    return { readings, sums };
  }

  /**
   * Sums requests over the ranks, unless only the whole engine says them. Returns how many ranks the sum is over;
   * undefined for the engine's own number.
   */
  #sumRequests(
    numbers: Mutable<WorkerNumbers>,
    { sums, field, whole }: {
      readonly sums: readonly RankSum[];
      readonly field: "running" | "waiting";
      readonly whole: number | undefined;
    },
  ): number | undefined {
    let known = 0;
    let total = 0;
    for (const { [field]: value } of sums) {
      if (value === undefined) continue;
      known++;
      total += value;
    }
    const isWhole = whole !== undefined && known < this.#count;
    if (known > 0 || isWhole) {
      numbers[field === "running" ? "activeSlots" : "requestsWaiting"] = isWhole ? whole : total;
    }
    return isWhole || known === 0 ? undefined : known;
  }

  #sumBlocks(
    numbers: Mutable<WorkerNumbers>,
    sums: readonly RankSum[],
    page: Partial<PageNumbers>,
  ): number | undefined {
    let known = 0;
    let used: number | undefined = 0;
    const usage = new MeanUsage();
    for (const { blocksAt, usedBlocks, cacheUsageRatio, totalBlocks } of sums) {
      if (blocksAt === undefined) continue;
      known++;
      used = used === undefined || usedBlocks === undefined ? undefined : used + usedBlocks;
      usage.add(cacheUsageRatio, totalBlocks);
    }
    const saysWhole = page.usedBlocks !== undefined || page.cacheUsageRatio !== undefined;
    if (saysWhole && known < this.#count) {
      Object.assign(numbers, wholeBlocks(page, numbers.totalBlocks));
      return undefined;
    }
    if (known === 0) return undefined;
    set(numbers, "activeBlocks", used);
    set(numbers, "cacheUsageRatio", usage.mean);
    return known;
  }

  #sumHits(
    numbers: Mutable<WorkerNumbers>,
    readings: readonly RankReading[],
    page: Partial<PageNumbers>,
  ): number | undefined {
    const counting = readings.filter(({ counters }) => counters.length > 0);
    if (counting.length > 0) {
      const counters = counting.flatMap(({ counters }) => counters);
      set(numbers, "prefixHitRatio", prefixHitRatio(this.#sources.prefixHits, counters));
      return numbers.prefixHitRatio === undefined ? undefined : counting.length;
    }
    if (page.prefixHitRatio !== undefined) {
      numbers.prefixHitRatio = page.prefixHitRatio;
      return undefined;
    }
    let known = 0;
    let sum = 0;
    for (const { load, page } of readings) {
      const ratio = load?.prefixHitRatio ?? page.prefixHitRatio;
      if (ratio === undefined) continue;
      known++;
      sum += ratio;
    }
    if (known === 0) return undefined;
    numbers.prefixHitRatio = sum / known; // Gauges do not say how much was looked up at each rank.
    return known;
  }

  #sumTotals(
    numbers: Mutable<WorkerNumbers>,
    readings: readonly RankReading[],
    sums: readonly RankSum[],
  ): void {
    let known = 0;
    let total = 0;
    for (const { totalBlocks } of sums) {
      if (totalBlocks === undefined) continue;
      known++;
      total += totalBlocks;
    }
    const isWhole = known > 0 && known >= this.#count;
    const engineTotal = this.#isSeveral ? this.#engine.page.totalBlocks : undefined;
    set(numbers, "totalBlocks", engineTotal ?? (isWhole ? total : this.#units.cardBlocks));
    let slots: number | undefined;
    for (const { load } of readings) if (load !== undefined) slots = (slots ?? 0) + load.totalSlots;
    set(numbers, "totalSlots", slots ?? this.#units.cardSlots);
  }

  #rankNumbers(readings: readonly RankReading[], sums: readonly RankSum[]): readonly RankNumbers[] {
    const { prefixHits } = this.#sources;
    const silentRanks = this.#silent;
    if (!this.#isSeveral && !silentRanks.values().some((isSilent) => isSilent)) return NO_RANKS;
    const ranks: RankNumbers[] = [];
    for (const [dpRank, isSilent] of silentRanks) {
      if (isSilent) ranks.push({ ...UNKNOWN_RANK, dpRank, isSilent });
    }
    for (const [n, { dpRank, page, load, counters }] of readings.entries()) {
      if (typeof dpRank !== "number") continue;
      const { usedBlocks, running, waiting, cacheUsageRatio } = sums[n]!;
      ranks.push({
        dpRank,
        usedBlocks,
        running,
        waiting,
        cacheUsageRatio,
        prefixHitRatio: counters.length > 0
          ? prefixHitRatio(prefixHits, counters)
          : load?.prefixHitRatio ?? page.prefixHitRatio,
        isSilent: silentRanks.get(dpRank),
      });
    }
    return ranks.sort((a, b) => a.dpRank - b.dpRank);
  }

  /** @param over how many ranks each number is over; undefined if it is not a sum over ranks */
  #coverage(
    { blocks, running, waiting, hits }: Readonly<
      Record<"blocks" | "running" | "waiting" | "hits", number | undefined>
    >,
    ranksHeard: number,
  ): RankCoverage | undefined {
    if (!this.#isSeveral) return undefined;
    const expected = this.#sources.card?.ranks;
    const overRanks = [blocks, running, waiting, hits].filter((ranks) => ranks !== undefined);
    const whole = this.#count - [...this.#silent.values()].filter(Boolean).length;
    const least = this.#engineSpeaks ? whole : ranksHeard;
    return {
      expected,
      heard: overRanks.length > 0 ? Math.min(...overRanks) : least,
      blocks: blocks ?? whole,
      running: running ?? whole,
    };
  }

  /** Whether a page says a number of the whole engine that is shown. */
  get #engineSpeaks(): boolean {
    const { running, waiting, usedBlocks, cacheUsageRatio } = this.#engine.page;
    return [running, waiting, usedBlocks, cacheUsageRatio].some((value) => value !== undefined);
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

/** Used blocks and usage of a whole engine, derived from each other if the page says one of them. */
function wholeBlocks(
  { usedBlocks: used, cacheUsageRatio: usage }: Partial<PageNumbers>,
  totalBlocks: number | undefined,
): Pick<WorkerNumbers, "activeBlocks" | "cacheUsageRatio"> {
  const activeBlocks = used ?? usedBlocksOf(usage, totalBlocks);
  const cacheUsageRatio = usage ?? usageOf(used, totalBlocks);
  if ((cacheUsageRatio ?? 0) > 1 || (activeBlocks ?? 0) > (totalBlocks ?? Infinity)) return {};
  return {
    ...(activeBlocks !== undefined && { activeBlocks }),
    ...(cacheUsageRatio !== undefined && { cacheUsageRatio }),
  };
}

/** Mean usage. Ranks are weighted by their blocks if all totals are known. */
class MeanUsage {
  #sum: number | undefined = 0;
  #ranks = 0;
  #used = 0;
  #total: number | undefined = 0;

  add(ratio: number | undefined, totalBlocks: number | undefined): void {
    this.#ranks++;
    this.#sum = this.#sum === undefined || ratio === undefined ? undefined : this.#sum + ratio;
    this.#total = this.#total === undefined || totalBlocks === undefined
      ? undefined
      : this.#total + totalBlocks;
    this.#used += (ratio ?? 0) * (totalBlocks ?? 0);
  }

  /** Undefined if one rank's usage is not known. */
  get mean(): number | undefined {
    if (this.#sum === undefined) return undefined;
    return this.#ranks > 1 && this.#total ? this.#used / this.#total : this.#sum / this.#ranks;
  }
}

function requestsOf({ running, waiting }: RankSum): number {
  return (running ?? 0) + (waiting ?? 0);
}

function newest(sums: readonly RankSum[], field: "blocksAt" | "requestsAt"): Instant | undefined {
  let newest: Instant | undefined;
  for (const { [field]: at } of sums) {
    if (at !== undefined && (newest === undefined || at.monotonicMs > newest.monotonicMs)) newest = at;
  }
  return newest;
}

function set<K extends keyof WorkerNumbers>(
  numbers: Mutable<WorkerNumbers>,
  field: K,
  value: WorkerNumbers[K] | undefined,
): void {
  if (value !== undefined) numbers[field] = value;
}
