import assert from "node:assert/strict";
import { Deployment, statsReply } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

const IDS = ["", "zz", "-1", "10000000000000000", "a1 ", "0x1"];

Deno.test("an endpoint whose id does not parse is counted, and its neighbours in the same reply stay", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.raw().answer(({ send }) => {
    send(statsReply("dynamo_my_component_1854ce00", [...IDS, "a1"].map((hex) => [hex, 40] as const)));
  });
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { 161: 40 });
    // "-1" is the endpoint `my_endpoint-`, which is another one.
    assert.ok(
      page.value("dynamo_metrics_workers_rejected_total", { reason: "worker_id" })! >= IDS.length - 1,
    );
  });
});
