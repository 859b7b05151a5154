import type { HitRate } from "../dynamo/hit_rate.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";

/** Blocks of the inputs, and those of them found in a cache, summed over events. */
export interface HitRateTotals {
  readonly islBlocks: number;
  readonly overlapBlocks: number;
}

/** Sums over the events that name one worker. */
export interface HitRateSum extends HitRateTotals {
  readonly worker: WorkerId;
}

/** All that events said so far, as a value. */
export interface HitRates {
  /** By the worker that events name, whether or not it is known; the least recent first, `atMs` when the last came. */
  readonly byWorker: ReadonlyMap<WorkerId, HitRateSum & { readonly atMs: number }>;
  /** Over all workers that events ever named. */
  readonly totals: HitRateTotals;
}

export const NO_HIT_RATES: HitRates = { byWorker: new Map(), totals: { islBlocks: 0, overlapBlocks: 0 } };

/** How many sums of workers that are not there are kept, and for how long, so that a scrape can still take them. */
const MAX_STRANGERS = 2_000;
const STRANGER_MS = 600_000;

/** The sums with these events in them. */
export function addHitRates(rates: HitRates, events: readonly HitRate[], nowMs: number): HitRates {
  const byWorker = new Map(rates.byWorker);
  let { islBlocks: islTotal, overlapBlocks: overlapTotal } = rates.totals;
  for (const { worker, islBlocks, overlapBlocks } of events) {
    const before = byWorker.get(worker);
    byWorker.delete(worker);
    byWorker.set(worker, {
      worker,
      islBlocks: (before?.islBlocks ?? 0) + islBlocks,
      overlapBlocks: (before?.overlapBlocks ?? 0) + overlapBlocks,
      atMs: nowMs,
    });
    islTotal += islBlocks;
    overlapTotal += overlapBlocks;
  }
  return { byWorker, totals: { islBlocks: islTotal, overlapBlocks: overlapTotal } };
}

/** The sums without those of workers that are not there which are too many or too old; the totals stay. */
export function forgetStrangers(
  rates: HitRates,
  options: { readonly isThere: (worker: WorkerId) => boolean; readonly nowMs: number },
): HitRates {
  const { isThere, nowMs } = options;
  let strangers = 0;
  for (const worker of rates.byWorker.keys()) if (!isThere(worker)) strangers++;
  let byWorker: Map<WorkerId, HitRateSum & { atMs: number }> | undefined;
  for (const [worker, { atMs }] of rates.byWorker) {
    if (strangers <= MAX_STRANGERS && nowMs - atMs < STRANGER_MS) break; // The rest is younger.
    if (isThere(worker)) continue;
    byWorker ??= new Map(rates.byWorker);
    byWorker.delete(worker);
    strangers--;
  }
  return byWorker ? { ...rates, byWorker } : rates;
}
