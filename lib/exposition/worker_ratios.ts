/** How full a worker is, by the API's fields. Pages and terminals say the same. */

import type { Worker } from "./api_v1.ts";

/** Used part of its KV blocks, 0 to 1, else what it says of its cache; undefined if neither is known. */
export function kvRatio(worker: Worker): number | undefined {
  const { kv_blocks_used, kv_blocks_total, cache_usage } = worker;
  return usedPart(worker, kv_blocks_used, kv_blocks_total) ?? cache_usage;
}

/** Used part of its slots, 0 to 1; undefined if one of the numbers is not known. */
export function slotRatio(worker: Worker): number | undefined {
  return usedPart(worker, worker.slots_active, worker.slots_total);
}

/** A total is of all ranks: a number over some ranks is a part of these ranks' share. */
function usedPart(
  { ranks_heard: heard, ranks_expected: expected }: Worker,
  used: number | undefined,
  total: number | undefined,
): number | undefined {
  if (used === undefined || !total) return undefined;
  const share = heard !== undefined && expected !== undefined ? Math.min(1, heard / expected) : 1;
  return share === 0 ? undefined : used / (total * share);
}
