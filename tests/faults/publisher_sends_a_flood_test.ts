import assert from "node:assert/strict";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

Deno.test("a flood of a publisher takes nothing from its neighbour, nor from its own numbers", async () => {
  await using deployment = await ZmqDeployment.start();
  const { captured } = deployment;
  await deployment.shows(BLOCKS);
  await captured.killPublishers(FIRST);
  await captured.publish(FIRST, ({ events }) => ({ frames: events[0]!, times: 300 }));
  await eventually(async () => {
    const page = await deployment.page();
    assert.ok(page.value("dynamo_metrics_events_total", { event: "kv_metrics" })! > 5_000);
  });
  await captured.killPublishers(SECOND);
  await captured.publish(SECOND, ({ events }) => ({ frames: events[0]! }));
  await deployment.shows({ [FIRST]: 38, [SECOND]: 28 });
});
