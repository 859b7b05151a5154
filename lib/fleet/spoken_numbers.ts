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
}

/** The numbers of a worker that it says by itself, by events and on its pages, over its ranks. */
export class SpokenNumbers {
  readonly #sources: NumberSources;
  /** Ranks by their numbers, and those that are of one rank without saying of which. */
  readonly #ranks = new Map<number, RankReading>();
  readonly #unnamed: RankReading[] = [];
  /** What pages say of the whole engine. */
  readonly #engine = new RankReading("engine");
  readonly #isSeveral: boolean;
  readonly #units: WorkerUnits;
  #inFlight: number | undefined;

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
    set(numbers, "requestsInFlight", this.#inFlight);
    this.#sumTotals(numbers, readings, sums);
    const heard = [
      this.#sumBlocks(numbers, sums, page),
      this.#sumRequests(numbers, { sums, field: "running", whole: page.running }),
      this.#sumRequests(numbers, { sums, field: "waiting", whole: page.waiting }),
      this.#sumHits(numbers, readings, page),
    ];
    if (readings.length === 1) set(numbers, "specDecode", readings[0]!.load?.specDecode);
    return {
      numbers,
      blocksAt: newest(sums, "blocksAt") ?? this.#engine.pageAt,
      requestsAt: newest(sums, "requestsAt"),
      ranks: this.#rankNumbers(readings, sums),
      coverage: this.#coverage(heard, readings.length),
    };
  }

  /** Puts each observation where it belongs; gives the engine that the pages are of. */
  #collect(): Engine | undefined {
    const { heard, card, silentRanks } = this.#sources;
    let engine: Engine | undefined;
    const others: Observation[] = [];
    for (const observation of heard.values()) {
      const { said, dpRank } = observation;
      if (said.kind === "router") continue;
      if (said.kind === "page") {
        engine ??= said.numbers.engine;
        this.#noteInFlight(said.numbers.inFlight);
      }
      if (typeof dpRank !== "number") others.push(observation);
      else if (silentRanks.get(dpRank) !== true) this.#rank(dpRank).add(observation);
    }
    const isOne = (card?.ranks ?? 1) <= 1 && this.#ranks.size <= 1 && silentRanks.size <= 1;
    const isSilent = isOne && silentRanks.values().some((isSilent) => isSilent);
    for (const observation of others) {
      if (observation.dpRank === "engine") this.#engine.add(observation);
      // Of a worker with one rank all is of that rank; if it is silent, only what its process says is still true.
      if (isOne && !isSilent) this.#rank(this.#ranks.keys().next().value ?? 0).add(observation);
      else if (observation.dpRank === "unnamed") this.#addUnnamed(observation);
    }
    return engine;
  }

  #rank(dpRank: number): RankReading {
    return this.#ranks.getOrInsertComputed(dpRank, () => new RankReading(dpRank));
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
    const inFlight = this.#inFlight ?? 0;
    if (readings.length === 1) {
      readings[0]!.hearHeartbeat(sums[0]!, inFlight);
      return { readings, sums };
    }
    // Ranks without used blocks first: what they give up is then not counted as others' requests.
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

  /** Sums requests over the ranks, unless only the whole engine says them; gives over how many, if over ranks. */
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
    const isWhole = whole !== undefined && known < this.#expected(sums.length);
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
    if (saysWhole && known < this.#expected(sums.length)) {
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
    const counting = readings.filter(({ page }) => hasCounters(page));
    if (counting.length > 0) {
      const ranks = this.#isSeveral ? counting.map(({ dpRank }) => dpRank) : this.#sources.prefixHits.keys(); // Under the name that the page has for the one rank.
      set(numbers, "prefixHitRatio", prefixHitRatio(this.#sources.prefixHits, ranks));
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
    const isWhole = known > 0 && known >= this.#expected(sums.length);
    const engineTotal = this.#isSeveral ? this.#engine.page.totalBlocks : undefined;
    set(numbers, "totalBlocks", engineTotal ?? (isWhole ? total : this.#units.cardBlocks));
    let slots: number | undefined;
    for (const { load } of readings) if (load !== undefined) slots = (slots ?? 0) + load.totalSlots;
    set(numbers, "totalSlots", slots ?? this.#units.cardSlots);
  }

  #rankNumbers(readings: readonly RankReading[], sums: readonly RankSum[]): readonly RankNumbers[] {
    const { silentRanks, prefixHits } = this.#sources;
    if (!this.#isSeveral && !silentRanks.values().some((isSilent) => isSilent)) return NO_RANKS;
    const ranks: RankNumbers[] = [];
    for (const [dpRank, isSilent] of silentRanks) {
      if (isSilent) ranks.push({ ...UNKNOWN_RANK, dpRank, isSilent });
    }
    for (const [n, { dpRank, page, load }] of readings.entries()) {
      if (typeof dpRank !== "number") continue;
      const { usedBlocks, running, waiting, cacheUsageRatio } = sums[n]!;
      ranks.push({
        dpRank,
        usedBlocks,
        running,
        waiting,
        cacheUsageRatio,
        prefixHitRatio: hasCounters(page)
          ? prefixHitRatio(prefixHits, [dpRank])
          : load?.prefixHitRatio ?? page.prefixHitRatio,
        isSilent: silentRanks.get(dpRank),
      });
    }
    return ranks.sort((a, b) => a.dpRank - b.dpRank);
  }

  /** @param heard over how many ranks each number is; undefined if it is not over ranks */
  #coverage(heard: readonly (number | undefined)[], ranksHeard: number): RankCoverage | undefined {
    if (!this.#isSeveral) return undefined;
    const { ranks = 1 } = this.#sources.card ?? {};
    const expected = ranks > 1 ? ranks : undefined;
    const overRanks = heard.filter((ranks) => ranks !== undefined);
    if (overRanks.length > 0) return { expected, heard: Math.min(ranksHeard, ...overRanks) };
    return { expected, heard: this.#engine.pageAt === undefined ? ranksHeard : expected ?? ranksHeard };
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
