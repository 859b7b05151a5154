/** How full a worker is, by the API's fields. Pages and terminals say the same. */

import type { Worker } from "../exposition/api_v1.ts";
import { ratioOf } from "./ratio.ts";

/** Used part of its KV blocks, 0 to 1, else what it says of its cache; undefined if neither is known. */
export function kvRatio(worker: Worker): number | undefined {
  const { kv_blocks_used, kv_blocks_total, cache_usage } = worker;
  if (isPartial(worker) && cache_usage !== undefined) return cache_usage;
  return usedPart(kv_blocks_used, shareOf(worker, kv_blocks_total, "kv_blocks_used")) ?? cache_usage;
}

/** Used part of its slots, 0 to 1; undefined if one of the numbers is not known. */
export function slotRatio(worker: Worker): number | undefined {
  return usedPart(worker.slots_active, shareOf(worker, worker.slots_total, "requests_running"));
}

/** A total is of all ranks: of a number over some ranks it is these ranks' share. */
function shareOf(
  worker: Worker,
  total: number | undefined,
  field: "kv_blocks_used" | "requests_running",
): number | undefined {
  const { ranks = [], ranks_expected: expected = 1 } = worker;
  const heard = ranks.filter((rank) => rank[field] !== undefined).length;
  return total === undefined || !isPartial(worker) || heard === 0
    ? total
    : total * Math.min(1, heard / expected);
}

function isPartial({ ranks_heard: heard, ranks_expected: expected }: Worker): boolean {
  return heard !== undefined && expected !== undefined && heard < expected;
}

/** Undefined if it would be more than all: then one of the numbers is not true. */
function usedPart(used: number | undefined, total: number | undefined): number | undefined {
  const ratio = ratioOf(used, total);
  return ratio === undefined || ratio > 1 ? undefined : ratio;
}
