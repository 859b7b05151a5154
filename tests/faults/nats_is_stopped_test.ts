import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("while NATS is stopped no load is shown and the workers stay; after its return all is there again", async () => {
  await using deployment = await Deployment.start();
  const workers = deployment.play(2);
  await deployment.shown(workers, { count: 2 });
  await deployment.nats.stop();
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.loaded(), []);
    assert.equal(page.value("llm_load_avg"), undefined);
    assert.equal(page.value("dynamo_metrics_up"), 0);
    assert.equal(page.value("dynamo_metrics_nats_connected"), 0);
    assert.equal(Object.keys(page.states()).length, 2);
  });
  await eventually(async () =>
    assert.deepEqual(await deployment.ready(), {
      code: 200,
      status: "degraded",
      reasons: ["NATS is not connected"],
    })
  );
  await deployment.nats.start();
  await deployment.shown(workers, { count: 2 });
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_up"), 1);
    assert.equal(page.value("dynamo_metrics_nats_reconnects_total"), 1);
  });
  await eventually(async () =>
    assert.deepEqual(await deployment.ready(), { code: 200, status: "ok", reasons: [] })
  );
  assert.equal(deployment.said(/Lost the connection to NATS/), 1);
  await eventually(() => assert.equal(deployment.said(/Connected to NATS/), 2));
});
