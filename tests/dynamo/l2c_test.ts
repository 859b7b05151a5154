import assert from "node:assert/strict";
import { l2cHead, L2cWriter } from "../../lib/dynamo/l2c.ts";
import type { Load } from "../../lib/dynamo/load.ts";
import { workerIdFromInteger } from "../../lib/dynamo/worker_id.ts";

const load: Load = { shape: "flat4", activeSlots: 1, totalSlots: 8, activeBlocks: 40, totalBlocks: 100 };
const head = (id: number) => l2cHead(workerIdFromInteger(id)!, { service: "dynamo_c", endpoint: "e" });
const written = (event: L2cWriter, aggregate: { loadAvg: number; loadStd: number }) =>
  JSON.parse(new TextDecoder().decode(event.end(aggregate)));

Deno.test("each event of one writer has its own workers, one with nobody too", () => {
  const event = new L2cWriter();
  event.add(head(1), load);
  event.add(head(2), { ...load, shape: "nested" });
  const first = written(event, { loadAvg: 40, loadStd: 0 });
  assert.deepEqual(Object.keys(first.endpoints), ["1", "2"]);
  assert.equal(first.endpoints[1].data.kv_active_blocks, 40);
  assert.equal(first.endpoints[2].data.engine_load_metrics.kv_stats.kv_active_blocks, 40);
  assert.deepEqual(written(event, { loadAvg: NaN, loadStd: NaN }), {
    endpoints: {},
    load_avg: null,
    load_std: null,
  });
  event.add(head(3), load);
  assert.deepEqual(Object.keys(written(event, { loadAvg: 40, loadStd: 0 }).endpoints), ["3"]);
});
