import type { RankNumbers } from "../../lib/fleet/rank_reading.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";

/** What a worker shows that has one rank, is not stuck, and whose page is read or not known of. */
export const UNTROUBLED = {
  coverage: undefined,
  stuckSince: undefined,
  stuckSeconds: undefined,
  isFirstPassPending: false,
  pageProblem: undefined,
  changesAtMs: Infinity,
} satisfies Partial<WorkerSnapshot>;

/** A rank of which nothing is known but its number. */
export function rankOf(dpRank: number, more: Partial<RankNumbers> = {}): RankNumbers {
  return {
    dpRank,
    usedBlocks: undefined,
    running: undefined,
    waiting: undefined,
    cacheUsageRatio: undefined,
    prefixHitRatio: undefined,
    isSilent: undefined,
    ...more,
  };
}
