import assert from "node:assert/strict";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

Deno.test("a publisher of two megabytes at once is left, again and again, and its neighbour is heard on", async () => {
  await using deployment = await ZmqDeployment.start({ env: { DYN_LOG: "debug" } });
  const { captured } = deployment;
  await deployment.shows(BLOCKS);
  await captured.killPublishers(FIRST);
  await captured.publish(FIRST, ({ events }) => ({ frames: events.at(-1)!, padBytes: 2_000_000 }));
  await eventually(() => {
    assert.match(deployment.metrics.log(), /cause="a message of more than 1048576 bytes"/);
  });
  await captured.killPublishers(SECOND);
  await captured.publish(SECOND, ({ events }) => ({ frames: events[0]! }));
  const page = await deployment.shows({ [SECOND]: 28 });
  const [notMsgpack] = page.values("dynamo_metrics_events_rejected_total", {
    event: "kv_metrics",
    reason: "not_msgpack",
  });
  assert.equal(notMsgpack, 0); // Not one came whole.
  await captured.killPublishers(FIRST);
  await captured.publish(FIRST);
  await deployment.shows({ [FIRST]: 63, [SECOND]: 28 });
});
