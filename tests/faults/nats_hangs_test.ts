import assert from "node:assert/strict";
import { readFleet } from "../helpers/api_reader.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a NATS that hangs is told from silent workers, and all is there again when it goes on", async () => {
  await using deployment = await Deployment.start();
  deployment.play(2);
  await eventually(async () => assert.equal((await deployment.page()).loaded().length, 2));
  await deployment.nats.pause();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_nats_connected"), 0);
    assert.equal(page.value("dynamo_metrics_up"), 0);
    assert.deepEqual(page.loaded(), []);
    assert.equal(Object.keys(page.states()).length, 2);
  });
  assert.deepEqual((await deployment.ready()).reasons, ["NATS is not connected"]);
  deployment.nats.resume();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 2);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
  assert.equal(deployment.said(/Lost the connection to NATS/), 1);
  const { targets } = await readFleet(deployment.metrics.url);
  assert.deepEqual(targets[0]!.changes, [], "nobody fell silent who could not be asked");
  assert.equal(deployment.said(/Workers silent/), 0);
});
