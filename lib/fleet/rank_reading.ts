import type { Mutable } from "../dynamo/load.ts";
import type { PageNumbers, RankName } from "../dynamo/worker_page.ts";
import type { Observation } from "../events/observation.ts";
import type { Instant } from "../timing.ts";
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

/** All that was heard of one rank: the newest of each kind. */
export class RankReading {
  #load: Observation | undefined;
  #blocks: Observation | undefined;
  #pass: Observation | undefined;
  #heartbeat: Observation | undefined;
  readonly #pages: Observation[] = [];

  constructor(readonly dpRank: RankName) {}

  add(observation: Observation): void {
    switch (observation.said.kind) {
      case "load":
        this.#load = observation;
        break;
      case "blocks":
        this.#blocks = observation;
        break;
      case "forward_pass":
        this.#pass = observation;
        break;
      case "heartbeat":
        this.#heartbeat = observation;
        break;
      case "page":
        this.#pages.push(observation);
        break;
      case "router":
        break;
    }
  }

  /** What its pages say, of a page of the whole engine what the rank's own page does not. */
  get page(): Partial<PageNumbers> {
    const own = this.#pages.toSorted((a, b) => Number(isNumbered(a)) - Number(isNumbered(b)));
    return Object.assign({}, ...own.map(({ said }) => said.kind === "page" ? said.numbers : {}));
  }

  get isHeard(): boolean {
    return [this.#load, this.#blocks, this.#pass, this.#heartbeat, ...this.#pages].some(Boolean);
  }

  /** The load that the worker said of itself without being asked, to 0.7.1. */
  get load() {
    return this.#load?.said.kind === "load" ? { at: this.#load.at, load: this.#load.said.load } : undefined;
  }

  /**
   * Used blocks and usage of one moment, and the requests of the newest word; a heartbeat is not looked at. Used and
   * usage are derived from each other where the newest word says one of them.
   */
  numbers(units: WorkerUnits): RankSum {
    const page = this.page;
    const load = this.load;
    // A page that says used blocks says its total in the same unit (0.5.0 to 0.8.1).
    const ofPage = page.usedBlocks === undefined ? units.pageRankBlocks(page.totalBlocks) : page.totalBlocks;
    const totalBlocks = load?.load.totalBlocks || ofPage || units.cardRankBlocks;
    const sum: RankSum = {
      totalBlocks,
      usedBlocks: undefined,
      cacheUsageRatio: undefined,
      blocksAt: undefined,
      running: undefined,
      waiting: undefined,
      requestsAt: undefined,
    };
    this.#addRequests(sum, page);
    const words = [
      load && { at: load.at, used: load.load.activeBlocks, usage: load.load.cacheUsageRatio },
      this.#usedByEvent(units, sum),
      this.#usedByPage(page),
    ].filter((word) => word !== undefined).toSorted((a, b) => b.at.monotonicMs - a.at.monotonicMs);
    for (const { at, used, usage } of words) {
      const ratio = usage ?? usageOf(used, totalBlocks);
      const blocks = used ?? usedBlocksOf(usage, totalBlocks);
      const isPossible = (ratio ?? 0) <= 1 && (blocks ?? 0) <= (totalBlocks ?? Infinity);
      if (!isPossible || ratio === undefined && blocks === undefined) continue;
      sum.usedBlocks = blocks;
      sum.cacheUsageRatio = ratio;
      sum.blocksAt = at;
      break;
    }
    return sum;
  }

  /**
   * A heartbeat that is newer than all else says that the rank is idle, unless blocks are used or requests are in flight
   * (`inFlight`: those of the page that no other rank has).
   */
  hearHeartbeat(sum: RankSum, inFlight: number): void {
    const beat = this.#heartbeat;
    if (beat === undefined || beat.at.monotonicMs < (sum.requestsAt?.monotonicMs ?? -Infinity)) return;
    if ((sum.usedBlocks ?? 0) > 0 || inFlight > 0) return;
    sum.running = 0;
    sum.waiting = 0;
    sum.requestsAt = beat.at;
  }

  #addRequests(sum: RankSum, page: Partial<PageNumbers>): void {
    const words = [
      this.#pass?.said.kind === "forward_pass" ? { at: this.#pass.at, ...this.#pass.said } : undefined,
      this.pageAt && { at: this.pageAt, running: page.running, waiting: page.waiting },
      this.load && {
        at: this.load.at,
        running: this.load.load.activeSlots,
        waiting: this.load.load.requestsWaiting,
      },
    ].filter((word) => word !== undefined).toSorted((a, b) => a.at.monotonicMs - b.at.monotonicMs);
    for (const { at, running, waiting } of words) {
      if (running === undefined && waiting === undefined) continue;
      sum.running = running ?? sum.running;
      sum.waiting = waiting ?? sum.waiting;
      sum.requestsAt = at;
    }
  }

  /** 0 blocks of a rank that may not know its total count if its requests say the same. */
  #usedByEvent(units: WorkerUnits, { running }: RankSum): BlocksWord | undefined {
    const blocks = this.#blocks;
    if (blocks?.said.kind !== "blocks") return undefined;
    const used = units.eventUsedBlocks(blocks.said.usedBlocks);
    if (used === undefined) return undefined;
    const isDoubtful = used === 0 && typeof this.dpRank === "number" && units.mayBeUnseeded(this.dpRank);
    const isIdle = running === 0 || running === undefined && this.#heartbeat !== undefined;
    return isDoubtful && !isIdle ? undefined : { at: blocks.at, used, usage: undefined };
  }

  #usedByPage({ usedBlocks, cacheUsageRatio }: Partial<PageNumbers>): BlocksWord | undefined {
    const at = this.pageAt;
    if (at === undefined || usedBlocks === undefined && cacheUsageRatio === undefined) return undefined;
    return { at, used: usedBlocks, usage: cacheUsageRatio };
  }

  /** When its newest page was read. */
  get pageAt(): Instant | undefined {
    return this.#pages.reduce<Instant | undefined>(
      (newest, { at }) => newest === undefined || at.monotonicMs > newest.monotonicMs ? at : newest,
      undefined,
    );
  }
}

interface BlocksWord {
  readonly at: Instant;
  readonly used: number | undefined;
  readonly usage: number | undefined;
}

function isNumbered({ dpRank }: Observation): boolean {
  return typeof dpRank === "number";
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
