import assert from "node:assert/strict";
import { freePorts } from "../../tools/servers/ports.ts";
import { startPushgateway } from "../../tools/servers/pushgateway.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a Pushgateway that is not there is said once, and pushed to once it is there", async () => {
  const [port = 0] = freePorts(1);
  await using deployment = await Deployment.start({
    withoutEtcd: true,
    args: ["--push-url", `http://127.0.0.1:${port}`, "--push-interval", "0.1"],
  });
  deployment.play(1);
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 1);
    assert.ok(page.value("dynamo_metrics_pushes_failed_total")! >= 3);
  });
  assert.equal(deployment.said(/Failed to push metrics to PushGateway/), 1);
  await using gateway = await startPushgateway({ args: [`--web.listen-address=127.0.0.1:${port}`] });
  await eventually(async () => {
    assert.match(await (await fetch(`${gateway.url}/metrics`)).text(), /^llm_kv_blocks_active/m);
  });
});
