import type { WorkerSnapshot } from "./worker_snapshot.ts";

/** Sums over the workers that have each number; undefined where none has it. */
export interface FleetTotals {
  readonly blocksUsed: number | undefined;
  readonly blocksTotal: number | undefined;
  readonly slotsActive: number | undefined;
  readonly slotsTotal: number | undefined;
  readonly requestsWaiting: number | undefined;
  readonly requestsInFlight: number | undefined;
  /** Used parts, 0 to 1, over the workers and ranks that have both numbers; undefined where none has. */
  readonly kvUtilisation: number | undefined;
  readonly slotUtilisation: number | undefined;
}

export function totalsOf(workers: readonly Pick<WorkerSnapshot, "numbers" | "coverage">[]): FleetTotals {
  const blocks = new Share();
  const slots = new Share();
  let requestsWaiting: number | undefined;
  let requestsInFlight: number | undefined;
  for (const { numbers, coverage } of workers) {
    const { expected = 1, blocks: blocksOf = expected, running: slotsOf = expected } = coverage ?? {};
    blocks.add(numbers.activeBlocks, numbers.totalBlocks, Math.min(1, blocksOf / expected));
    slots.add(numbers.activeSlots, numbers.totalSlots, Math.min(1, slotsOf / expected));
    requestsWaiting = plus(requestsWaiting, numbers.requestsWaiting);
    requestsInFlight = plus(requestsInFlight, numbers.requestsInFlight);
  }
  return {
    blocksUsed: blocks.used,
    blocksTotal: blocks.total,
    slotsActive: slots.used,
    slotsTotal: slots.total,
    requestsWaiting,
    requestsInFlight,
    kvUtilisation: blocks.ratio,
    slotUtilisation: slots.ratio,
  };
}

/** What is used of something, over many that may know only one of the two. */
class Share {
  used: number | undefined;
  total: number | undefined;
  #usedOfKnown = 0;
  #known = 0;

  /** `part` is how much of the total the used are of, 0 to 1. */
  add(used: number | undefined, total: number | undefined, part: number): void {
    this.used = plus(this.used, used);
    this.total = plus(this.total, total);
    if (used === undefined || total === undefined || used > total * part) return; // More than all is not believed.
    this.#usedOfKnown += used;
    this.#known += total * part;
  }

  get ratio(): number | undefined {
    return this.#known === 0 ? undefined : this.#usedOfKnown / this.#known;
  }
}

function plus(sum: number | undefined, value: number | undefined): number | undefined {
  return value === undefined ? sum : (sum ?? 0) + value;
}

/** How many workers and ranks are in trouble that their states do not tell; undefined if none is. */
export interface FleetTroubles {
  /** Workers with several ranks, some of which are not in the numbers. */
  readonly partial: number | undefined;
  readonly stuck: number | undefined;
  readonly silentRanks: number | undefined;
}

export function troublesOf(
  workers: readonly Pick<WorkerSnapshot, "coverage" | "stuckSince" | "ranks">[],
): FleetTroubles {
  let [partial, stuck, silentRanks] = [0, 0, 0];
  for (const { coverage, stuckSince, ranks } of workers) {
    if (coverage?.expected !== undefined && coverage.heard < coverage.expected) partial++;
    if (stuckSince !== undefined) stuck++;
    for (const { isSilent } of ranks) if (isSilent) silentRanks++;
  }
  return {
    partial: partial || undefined,
    stuck: stuck || undefined,
    silentRanks: silentRanks || undefined,
  };
}
