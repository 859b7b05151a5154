import assert from "node:assert/strict";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

const STRANGER = "00000000deadbeef";

Deno.test("what is said of a worker that is not registered is counted, and no worker comes of it", async () => {
  await using deployment = await ZmqDeployment.start();
  const { captured } = deployment;
  await deployment.shows(BLOCKS);
  await captured.killPublishers(FIRST);
  const hex = BigInt(FIRST).toString(16).padStart(16, "0");
  await captured.publish(FIRST, ({ topic, events }) => {
    const frames = events.at(-1)!;
    return {
      frames: topic === "kv_metrics" ? frames.map((frame) => frame.replaceAll(hex, STRANGER)) : frames,
    };
  });
  await eventually(async () => {
    const page = await deployment.page();
    const reason = "unknown_worker";
    assert.ok(
      page.value("dynamo_metrics_events_rejected_total", { event: "kv_metrics", reason })! > 10,
    );
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { [SECOND]: 61 });
    assert.deepEqual(page.byWorker("llm_requests_active_slots"), { [FIRST]: 4, [SECOND]: 4 });
    assert.deepEqual(page.states(), { [FIRST]: "responding", [SECOND]: "responding" });
  });
});
