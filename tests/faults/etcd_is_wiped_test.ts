import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("an etcd that loses its data under workers that answer does not empty the page", async () => {
  await using deployment = await Deployment.start();
  const workers = deployment.raw();
  workers.answer(({ reply }) => reply("a1", 40));
  await deployment.register("a1");
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("dynamo_metrics_worker_registered"), { 161: 1 });
  });
  await deployment.etcd.wipe();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_membership_from_etcd"), 1);
    assert.deepEqual(page.byWorker("dynamo_metrics_worker_registered"), { 161: 0 });
  });
  const rounds = (await deployment.page()).value("dynamo_metrics_rounds_total")!;
  await eventually(async () => {
    const page = await deployment.page();
    assert.ok(page.value("dynamo_metrics_rounds_total")! > rounds + 3); // They decide about workers without a key.
    assert.deepEqual(page.states(), { 161: "responding" });
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { 161: 40 });
    assert.equal(page.value("dynamo_metrics_workers_gone_total", { reason: "deregistered" }), 0);
  });
  await deployment.register("a1", "a2");
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("dynamo_metrics_worker_registered"), { 161: 1, 162: 1 });
    assert.deepEqual(page.states(), { 161: "responding", 162: "discovered" });
  });
});
