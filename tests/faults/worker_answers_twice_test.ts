import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("of two answers of one worker in a round the later counts, once in the average", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.raw().answer(({ reply }) => {
    reply("a1", 10);
    reply("a1", 30);
    reply("a2", 50);
  });
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { 161: 30, 162: 50 });
    assert.equal(page.value("llm_load_avg"), 40);
    assert.ok(page.value("dynamo_metrics_replies_rejected_total", { reason: "duplicate_id" })! > 0);
  });
});
