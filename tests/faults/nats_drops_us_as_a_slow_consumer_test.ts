import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a NATS that drops us as a slow consumer is connected to again, and all is there", async () => {
  // Replies beyond what the server keeps for one client: it cuts the connection and counts a slow consumer.
  await using deployment = await Deployment.start({
    natsConfig: 'max_pending: 65536\nmax_payload: 65536\nwrite_deadline: "20ms"',
  });
  deployment.play(2);
  await eventually(async () => assert.equal((await deployment.page()).loaded().length, 2));
  deployment.metrics.pause();
  const flood = deployment.raw();
  await eventually(async () => {
    flood.publish("namespace.dynamo.kv-hit-rate", "x".repeat(60_000), 200);
    const { slow_consumers } = await (await fetch(`${deployment.nats.monitorUrl}/varz`)).json();
    assert.ok(slow_consumers > 0);
  });
  deployment.metrics.resume();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 2);
    assert.ok(page.value("dynamo_metrics_nats_reconnects_total")! >= 1);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
});
