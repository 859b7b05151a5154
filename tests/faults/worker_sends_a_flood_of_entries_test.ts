import assert from "node:assert/strict";
import { Deployment, statsReply } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a reply with two hundred thousand entries that are none takes nothing from its neighbour", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  const raw = deployment.raw();
  const flood = JSON.stringify({ endpoints: Array(200_000).fill(0) });
  raw.answer(({ send }) => {
    send(flood);
    send(statsReply(raw.service, [["a1", 40]]));
  });
  await eventually(async () => {
    const page = await deployment.page();
    assert.ok(page.value("dynamo_metrics_workers_rejected_total", { reason: "worker_id" })! >= 400_000);
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { 161: 40 });
    assert.equal(page.value("dynamo_metrics_nats_reconnects_total"), 0);
  });
});
