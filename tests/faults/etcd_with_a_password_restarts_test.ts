import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("an etcd that asks for a password is followed again after its restart", async () => {
  await using deployment = await Deployment.start({
    etcdUser: { username: "root", password: "secret" },
  });
  await deployment.register("a1");
  await eventually(async () => assert.deepEqual((await deployment.page()).states(), { 161: "discovered" }));
  await deployment.etcd.kill();
  await eventually(async () => {
    assert.equal((await deployment.page()).value("dynamo_metrics_etcd_connected"), 0);
  });
  await deployment.etcd.start();
  await deployment.register("a2");
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(Object.keys(page.states()), ["161", "162"]);
    assert.equal(page.value("dynamo_metrics_etcd_connected"), 1);
  });
});
