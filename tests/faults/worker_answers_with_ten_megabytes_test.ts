import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a reply of ten megabytes is counted as too large and takes nothing from its neighbour", async () => {
  await using deployment = await Deployment.start({
    withoutEtcd: true,
    natsConfig: "max_payload: 16777216",
    staleAfter: "5",
    forgetAfter: "5",
  });
  let left = 3; // On a full machine more than that would be all that there is time for.
  deployment.raw().answer(({ reply, send }) => {
    if (left-- > 0) send("x".repeat(10_000_000));
    reply("a1", 40);
  });
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { 161: 40 });
    assert.ok(page.value("dynamo_metrics_replies_rejected_total", { reason: "too_large" })! > 0);
  });
});
