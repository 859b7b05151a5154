import assert from "node:assert/strict";
import type { Worker } from "../../lib/exposition/api_v1.ts";
import { kvRatio, slotRatio } from "../../lib/exposition/worker_ratios.ts";

const of = (more: Partial<Worker>): Worker => ({ id: "1", state: "responding", channels: [], ...more });

Deno.test("a worker's KV is used of total, else what it says of its cache", () => {
  assert.equal(kvRatio(of({ kv_blocks_used: 1, kv_blocks_total: 4, cache_usage: 0.9 })), 0.25);
  assert.equal(kvRatio(of({ kv_blocks_used: 1, cache_usage: 0.9 })), 0.9);
  assert.equal(kvRatio(of({ kv_blocks_used: 1, kv_blocks_total: 0 })), undefined);
});

Deno.test("numbers over some ranks are a part of these ranks' share of the total", () => {
  const some = { ranks_heard: 4, ranks_expected: 8 };
  assert.equal(kvRatio(of({ ...some, kv_blocks_used: 128, kv_blocks_total: 512 })), 0.5);
  assert.equal(slotRatio(of({ ...some, slots_active: 10, slots_total: 2_048 })), 10 / 1_024);
  assert.equal(slotRatio(of({ ...some, ranks_heard: 0, slots_active: 0, slots_total: 8 })), undefined);
  assert.equal(slotRatio(of({ ranks_heard: 2, slots_active: 4, slots_total: 8 })), 0.5);
});
