import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("an etcd that hangs is known, the page goes on, and membership is etcd's again when it goes on", async () => {
  await using deployment = await Deployment.start();
  const workers = deployment.raw();
  workers.answer(({ reply }) => reply("a1", 40));
  await eventually(async () =>
    assert.equal((await deployment.page()).value("dynamo_metrics_etcd_connected"), 1)
  );
  await deployment.etcd.pause();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_etcd_connected"), 0);
    assert.equal(page.value("dynamo_metrics_membership_from_etcd"), 0);
    assert.deepEqual(page.loaded(), ["161"]);
  });
  deployment.etcd.resume();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_membership_from_etcd"), 1);
    assert.equal(page.byWorker("dynamo_metrics_worker_registered")["161"], 0);
  });
  assert.equal(deployment.said(/Lost the connection to etcd/), 1);
});
