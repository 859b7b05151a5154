import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a worker that answers under two service names counts once", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  const raw = deployment.raw();
  raw.answer(({ reply }) => reply("a1", 40));
  raw.answer(({ reply }) => reply("a1", 40), "dynamo_my_component");
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { 161: 40 });
    assert.equal(page.value("dynamo_metrics_load_workers"), 1);
    assert.ok(page.value("dynamo_metrics_replies_rejected_total", { reason: "duplicate_id" })! > 0);
  });
});
