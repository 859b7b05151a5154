import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("while etcd is stopped the page goes on and says so; after its return new keys are followed", async () => {
  await using deployment = await Deployment.start();
  deployment.play(2);
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 2);
    assert.equal(page.value("dynamo_metrics_membership_from_etcd"), 1);
    assert.deepEqual(page.values("dynamo_metrics_worker_registered"), [1, 1]);
  });
  await deployment.etcd.stop();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_etcd_connected"), 0);
    assert.equal(page.value("dynamo_metrics_membership_from_etcd"), 0);
    assert.deepEqual(page.values("dynamo_metrics_worker_registered"), []);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
  assert.deepEqual((await deployment.ready()).reasons, ["etcd is not connected"]);
  await deployment.etcd.start();
  await eventually(async () => {
    assert.equal((await deployment.page()).value("dynamo_metrics_membership_from_etcd"), 1);
  });
  const more = deployment.play(1, { seed: "2" });
  await eventually(async () => {
    const page = await deployment.page();
    assert.ok(page.loaded().includes(more.ids[0]!));
    assert.ok(page.byWorker("dynamo_metrics_worker_registered")[more.ids[0]!] === 1);
  });
  assert.equal(deployment.said(/Lost the connection to etcd/), 1);
  assert.equal(deployment.said(/Connected to etcd/), 2);
});
