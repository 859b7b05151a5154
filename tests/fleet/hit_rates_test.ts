import assert from "node:assert/strict";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { addHitRates, forgetStrangers, NO_HIT_RATES } from "../../lib/fleet/hit_rates.ts";
import { namespaceSnapshot } from "../../lib/fleet/snapshot.ts";
import { a, b } from "../helpers/fleet_steps.ts";

const event = (worker: WorkerId, islBlocks = 1, overlapBlocks = 1) => ({ worker, islBlocks, overlapBlocks });

Deno.test("hit-rate events add up by the worker they name", () => {
  const first = addHitRates(NO_HIT_RATES, [event(a, 10, 4), event(a, 10, 40)], 1);
  const shown = namespaceSnapshot("n", addHitRates(first, [event(a, 1, 0)], 2));
  assert.deepEqual(shown.hitRates, [event(a, 21, 44)]);
  assert.deepEqual(shown.hitRateTotals, { islBlocks: 21, overlapBlocks: 44 });
});

Deno.test("sums of workers that are not here are kept for ten minutes after their last event, those of workers always", () => {
  const rates = addHitRates(NO_HIT_RATES, [event(a), event(b)], 2);
  const isThere = (worker: WorkerId) => worker === a;
  assert.equal(forgetStrangers(rates, { isThere, nowMs: 600_000 }), rates);
  const later = forgetStrangers(rates, { isThere, nowMs: 600_002 });
  assert.deepEqual([...later.byWorker.keys()], [a]);
  assert.deepEqual(later.totals, { islBlocks: 2, overlapBlocks: 2 });
});

Deno.test("sums of workers that are not here are bounded in number, the least recent go first", () => {
  const events = Array.from({ length: 2_010 }, (_, n) => event(String(n) as WorkerId, 1, 0));
  const rates = forgetStrangers(addHitRates(NO_HIT_RATES, events, 1), { isThere: () => false, nowMs: 2 });
  assert.equal(rates.byWorker.size, 2_000);
  assert.equal([...rates.byWorker.keys()][0], "10");
  assert.equal(rates.totals.islBlocks, 2_010);
});
