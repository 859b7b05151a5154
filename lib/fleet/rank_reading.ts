import type { Load, Mutable } from "../dynamo/load.ts";
import type { PageNumbers, RankName } from "../dynamo/worker_page.ts";
import type { Observation } from "../events/observation.ts";
import type { Instant } from "../timing.ts";
import { countersKey } from "./prefix_hits.ts";
import type { WorkerUnits } from "./worker_units.ts";

/** What is shown of one rank. What is not known is absent. */
export interface RankNumbers {
  readonly dpRank: number;
  readonly usedBlocks: number | undefined;
  readonly running: number | undefined;
  readonly waiting: number | undefined;
  /** 0 to 1. */
  readonly cacheUsageRatio: number | undefined;
  /** 0 to 1, of the last minutes. */
  readonly prefixHitRatio: number | undefined;
  /** Whether its heartbeats ended; undefined of a rank that never sent one. */
  readonly isSilent: boolean | undefined;
}

/** Numbers of one rank while they are put together. */
export type RankSum = Mutable<Omit<RankNumbers, "dpRank" | "isSilent" | "prefixHitRatio">> & {
  totalBlocks: number | undefined;
  /** When used blocks and usage were said. */
  blocksAt: Instant | undefined;
  /** When running or waiting requests were said. */
  requestsAt: Instant | undefined;
};

/** All that was heard of one rank: the newest of each kind. One is made for each rank in each Snapshot: it is quick. */
export class RankReading {
  #load: Said<"load"> | undefined;
  #blocks: Said<"blocks"> | undefined;
  #pass: Said<"forward_pass"> | undefined;
  #heartbeatAt: Instant | undefined;
  #page: Partial<PageNumbers> = NO_PAGE;
  #pageAt: Instant | undefined;
  #isPageOwn = false;
  /** The prefix cache's counters that its pages have. */
  readonly counters: string[] = [];

  constructor(readonly dpRank: RankName) {}

  add(observation: Observation): void {
    const { at, said } = observation;
    switch (said.kind) {
      case "load":
        this.#load = { at, said };
        break;
      case "blocks":
        this.#blocks = { at, said };
        break;
      case "forward_pass":
        this.#pass = { at, said };
        break;
      case "heartbeat":
        this.#heartbeatAt = at;
        break;
      case "page":
        this.#addPage(said.numbers, observation);
        break;
      case "router":
        break;
    }
  }

  /** What its pages say. The rank's own page counts; the engine's page fills the gaps. */
  get page(): Partial<PageNumbers> {
    return this.#page;
  }

  /** When its newest page was read. */
  get pageAt(): Instant | undefined {
    return this.#pageAt;
  }

  /** The load that the worker said of itself without being asked, to 0.7.1. */
  get load(): Load | undefined {
    return this.#load?.said.load;
  }

  /**
   * Used blocks and usage of one moment, and the requests of the newest word; a heartbeat is not looked at. Used and
   * usage are derived from each other where the newest word says one of them.
   */
  numbers(units: WorkerUnits): RankSum {
    const { totalBlocks, usedBlocks } = this.#page;
    // A page that says used blocks says its total in the same unit (0.5.0 to 0.8.1).
    const ofPage = usedBlocks === undefined ? units.pageRankBlocks(totalBlocks) : totalBlocks;
    const sum: RankSum = {
      totalBlocks: this.load?.totalBlocks || ofPage || units.cardRankBlocks,
      usedBlocks: undefined,
      cacheUsageRatio: undefined,
      blocksAt: undefined,
      running: undefined,
      waiting: undefined,
      requestsAt: undefined,
    };
    this.#addRequests(sum);
    this.#addBlocks(sum, units);
    return sum;
  }

  /**
   * A heartbeat that is newer than all else says that the rank is idle, unless blocks are used or requests are in flight
   * (`inFlight`: those of the page that no other rank has).
   */
  hearHeartbeat(sum: RankSum, inFlight: number): void {
    const at = this.#heartbeatAt;
    if (at === undefined || !isNewer(at, sum.requestsAt)) return;
    const isUsed = (sum.usedBlocks ?? 0) > 0 || (sum.cacheUsageRatio ?? 0) > 0;
    if (isUsed || inFlight > 0) return;
    sum.running = 0;
    sum.waiting = 0;
    sum.requestsAt = at;
  }

  /** The rank's own page counts, the engine's fills the gaps; of two of a kind the newer counts. */
  #addPage(numbers: PageNumbers, observation: Observation): void {
    const { at, dpRank } = observation;
    const isOwn = typeof dpRank === "number";
    const counts = isOwn === this.#isPageOwn ? isNewer(at, this.#pageAt) : isOwn;
    if (this.#pageAt === undefined) this.#page = numbers;
    else this.#page = counts ? { ...this.#page, ...numbers } : { ...numbers, ...this.#page };
    this.#isPageOwn ||= isOwn;
    if (isNewer(at, this.#pageAt)) this.#pageAt = at;
    if (numbers.prefixHits !== undefined && numbers.prefixQueries !== undefined) {
      this.counters.push(countersKey(observation));
    }
  }

  #addRequests(sum: RankSum): void {
    const { running, waiting } = this.#page;
    if (this.#load) {
      this.#hearRequests(sum, this.#load.at, this.load!.activeSlots, this.load!.requestsWaiting);
    }
    if (this.#pageAt) this.#hearRequests(sum, this.#pageAt, running, waiting);
    if (this.#pass) this.#hearRequests(sum, this.#pass.at, this.#pass.said.running, this.#pass.said.waiting);
  }

  /** The newer word counts; of an older one what the newer does not say. */
  #hearRequests(
    sum: RankSum,
    at: Instant,
    running: number | undefined,
    waiting: number | undefined,
  ): void {
    if (running === undefined && waiting === undefined) return;
    const isLater = isNewer(at, sum.requestsAt);
    sum.running = isLater ? running ?? sum.running : sum.running ?? running;
    sum.waiting = isLater ? waiting ?? sum.waiting : sum.waiting ?? waiting;
    if (isLater) sum.requestsAt = at;
  }

  #addBlocks(sum: RankSum, units: WorkerUnits): void {
    const { usedBlocks, cacheUsageRatio } = this.#page;
    if (this.#load) this.#hearBlocks(sum, this.#load.at, this.load!.activeBlocks, this.load!.cacheUsageRatio);
    if (this.#pageAt) this.#hearBlocks(sum, this.#pageAt, usedBlocks, cacheUsageRatio);
    if (this.#blocks) this.#hearBlocks(sum, this.#blocks.at, this.#usedByEvent(units, sum), undefined);
  }

  /** The newest word that can be true counts, and no other. */
  #hearBlocks(sum: RankSum, at: Instant, used: number | undefined, usage: number | undefined): void {
    if (used === undefined && usage === undefined || !isNewer(at, sum.blocksAt)) return;
    const { totalBlocks } = sum;
    const ratio = usage ?? usageOf(used, totalBlocks);
    const blocks = used ?? usedBlocksOf(usage, totalBlocks);
    if ((ratio ?? 0) > 1 || (blocks ?? 0) > (totalBlocks ?? Infinity)) return;
    sum.usedBlocks = blocks;
    sum.cacheUsageRatio = ratio;
    sum.blocksAt = at;
  }

  /** 0 blocks of a rank that may not know its total count if its requests say the same. */
  #usedByEvent(units: WorkerUnits, { running }: RankSum): number | undefined {
    const used = units.eventUsedBlocks(this.#blocks!.said.usedBlocks);
    const isDoubtful = used === 0 && typeof this.dpRank === "number" && units.mayBeUnseeded(this.dpRank);
    const isIdle = running === 0 || running === undefined && this.#heartbeatAt !== undefined;
    return isDoubtful && !isIdle ? undefined : used;
  }
}

interface Said<Kind extends Observation["said"]["kind"]> {
  readonly at: Instant;
  readonly said: Extract<Observation["said"], { readonly kind: Kind }>;
}

const NO_PAGE: Partial<PageNumbers> = {};

/** Of words of one moment the later one given counts. */
function isNewer(at: Instant, than: Instant | undefined): boolean {
  return than === undefined || at.monotonicMs >= than.monotonicMs;
}

/** 0 to 1; undefined if one of the two is not known. */
export function usageOf(used: number | undefined, totalBlocks: number | undefined): number | undefined {
  return used === undefined || !totalBlocks ? undefined : used / totalBlocks;
}

/**
 * The used blocks of a usage, as Dynamo itself counts them: rounded down, since vLLM's usage is of one block fewer than
 * there are (31 of 256 is 31/255). Undefined if one of the two is not known.
 */
export function usedBlocksOf(usage: number | undefined, totalBlocks: number | undefined): number | undefined {
  return usage === undefined || !totalBlocks ? undefined : Math.floor(usage * totalBlocks * (1 + F32_ERROR));
}

/** How far a ratio of 32 bits may lie below the true one. */
const F32_ERROR = 1.2e-7;
