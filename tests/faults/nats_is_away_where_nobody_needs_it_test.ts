import assert from "node:assert/strict";
import { startNats } from "../../tools/servers/nats.ts";
import { BLOCKS } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

Deno.test("a NATS that goes where no worker needs one is neither a warning nor degraded", async () => {
  await using nats = await startNats();
  await using deployment = await ZmqDeployment.start({ args: [], env: { NATS_SERVER: nats.url } });
  const connected = async (value: number) => {
    await eventually(async () => {
      const page = await deployment.page();
      assert.equal(page.value("dynamo_metrics_nats_connected"), value);
      assert.equal(page.value("dynamo_metrics_up"), 1);
      assert.deepEqual(page.byWorker("llm_kv_blocks_active"), BLOCKS);
    });
    assert.deepEqual(await deployment.ready(), { status: "ok", reasons: [] });
  };
  await connected(1);
  await nats.kill();
  await connected(0);
  await nats.start();
  await connected(1);
  // To the empty NATS a round is asked all the same; that nobody is there is no news while workers are seen.
  assert.doesNotMatch(deployment.metrics.log(), /WARN|ERROR/);
});
