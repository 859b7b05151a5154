import type { WorkerNumbers } from "./heard.ts";

/** Sums over the workers that have each number; undefined where none has it. */
export interface FleetTotals {
  readonly blocksUsed: number | undefined;
  readonly blocksTotal: number | undefined;
  readonly slotsActive: number | undefined;
  readonly slotsTotal: number | undefined;
  readonly requestsWaiting: number | undefined;
  /** Used parts, 0 to 1, over the workers that have both numbers; undefined where none has. */
  readonly kvUtilisation: number | undefined;
  readonly slotUtilisation: number | undefined;
}

export function totalsOf(workers: readonly { readonly numbers: WorkerNumbers }[]): FleetTotals {
  const blocks = new Share();
  const slots = new Share();
  let requestsWaiting: number | undefined;
  for (const { numbers } of workers) {
    blocks.add(numbers.activeBlocks, numbers.totalBlocks);
    slots.add(numbers.activeSlots, numbers.totalSlots);
    requestsWaiting = plus(requestsWaiting, numbers.requestsWaiting);
  }
  return {
    blocksUsed: blocks.used,
    blocksTotal: blocks.total,
    slotsActive: slots.used,
    slotsTotal: slots.total,
    requestsWaiting,
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

  add(used: number | undefined, total: number | undefined): void {
    this.used = plus(this.used, used);
    this.total = plus(this.total, total);
    if (used === undefined || total === undefined) return;
    this.#usedOfKnown += used;
    this.#known += total;
  }

  get ratio(): number | undefined {
    return this.#known === 0 ? undefined : this.#usedOfKnown / this.#known;
  }
}

function plus(sum: number | undefined, value: number | undefined): number | undefined {
  return value === undefined ? sum : (sum ?? 0) + value;
}
