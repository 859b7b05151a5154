import assert from "node:assert/strict";
import type { Worker } from "../../lib/exposition/api_v1.ts";
import { kvRatio, slotRatio } from "../../lib/view/worker_ratios.ts";

const of = (more: Partial<Worker>): Worker => ({ id: "1", state: "responding", channels: [], ...more });

Deno.test("a worker's KV is used of total, else what it says of its cache", () => {
  assert.equal(kvRatio(of({ kv_blocks_used: 1, kv_blocks_total: 4, cache_usage: 0.9 })), 0.25);
  assert.equal(kvRatio(of({ kv_blocks_used: 1, cache_usage: 0.9 })), 0.9);
  assert.equal(kvRatio(of({ kv_blocks_used: 1, kv_blocks_total: 0 })), undefined);
});

Deno.test("numbers over some ranks are a part of these ranks' share of the total", () => {
  const rank = (dp_rank: number) => ({ dp_rank, kv_blocks_used: 32, requests_running: 2 });
  const some = { ranks_heard: 4, ranks_expected: 8, ranks: [0, 1, 2, 3].map(rank) };
  assert.equal(kvRatio(of({ ...some, kv_blocks_used: 128, kv_blocks_total: 512 })), 0.5);
  assert.equal(kvRatio(of({ ...some, kv_blocks_used: 128, kv_blocks_total: 512, cache_usage: 0.4 })), 0.4);
  assert.equal(slotRatio(of({ ...some, slots_active: 8, slots_total: 2_048 })), 8 / 1_024);
});

Deno.test("a number over all ranks is a part of the whole total, whatever another number is over", () => {
  const ranks = [{ dp_rank: 0, requests_running: 4 }, { dp_rank: 1, requests_running: 4, kv_blocks_used: 9 }];
  const worker = of({ ranks_heard: 1, ranks_expected: 2, ranks, slots_active: 8, slots_total: 8 });
  assert.equal(slotRatio(worker), 1);
  assert.equal(slotRatio(of({ ranks_heard: 2, slots_active: 4, slots_total: 8 })), 0.5);
});

Deno.test("more than all is not believed", () => {
  assert.equal(kvRatio(of({ kv_blocks_used: 800, kv_blocks_total: 100 })), undefined);
  assert.equal(slotRatio(of({ slots_active: 9, slots_total: 8 })), undefined);
});
