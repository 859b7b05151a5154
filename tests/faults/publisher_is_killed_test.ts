import assert from "node:assert/strict";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

Deno.test("what a killed publisher said leaves at once, its neighbour's numbers stay, and all is there once it is back", async () => {
  await using deployment = await ZmqDeployment.start();
  await deployment.shows(BLOCKS);
  await deployment.captured.killPublishers(FIRST);
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { [SECOND]: 61 });
    assert.deepEqual(page.byWorker("llm_requests_active_slots"), { [SECOND]: 4 });
    assert.deepEqual(page.byWorker("dynamo_metrics_worker_requests_waiting"), { [SECOND]: 1 });
    assert.deepEqual(page.byWorker("llm_kv_blocks_total"), { [FIRST]: 512, [SECOND]: 512 }); // Its card's.
    assert.deepEqual(page.byWorker("dynamo_metrics_worker_kv_cache_usage_ratio"), { [SECOND]: 61 / 512 });
    assert.deepEqual(page.states(), { [FIRST]: "discovered", [SECOND]: "responding" });
    const channels = page.values("dynamo_metrics_worker_channel", { worker_id: FIRST, channel: "event_zmq" });
    assert.deepEqual(channels, []);
    assert.equal(page.value("llm_load_avg"), 61);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
  await deployment.captured.publish(FIRST);
  const page = await deployment.shows(BLOCKS);
  assert.deepEqual(page.states(), { [FIRST]: "responding", [SECOND]: "responding" });
});

Deno.test("a worker whose publisher stays away is silent, and its totals leave", async () => {
  await using deployment = await ZmqDeployment.start({ staleAfter: "2" });
  await deployment.shows(BLOCKS);
  await deployment.captured.killPublishers(FIRST);
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.states(), { [FIRST]: "silent", [SECOND]: "responding" });
    assert.deepEqual(page.byWorker("llm_kv_blocks_total"), { [SECOND]: 512 });
  });
});
