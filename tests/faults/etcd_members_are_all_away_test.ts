import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("while all members are away the page says so, and all is followed when they are back", async () => {
  await using deployment = await Deployment.start({ withEtcdCluster: true });
  const { members } = deployment;
  await deployment.register("a1");
  await eventually(async () => assert.deepEqual(Object.keys((await deployment.page()).states()), ["161"]));
  await Promise.all(members.map((member) => member.kill()));
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_etcd_connected"), 0);
    assert.deepEqual(Object.keys(page.states()), ["161"]);
  });
  assert.match(deployment.metrics.log(), /Lost the connection to etcd.*refused/);
  await Promise.all(members.map((member) => member.start()));
  await deployment.register("a2");
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_etcd_connected"), 1);
    assert.deepEqual(Object.keys(page.states()), ["161", "162"]);
  });
  assert.equal(deployment.said(/Lost the connection to etcd/), 1);
  assert.equal(deployment.said(/Connected to etcd/), 2);
});

Deno.test("a member that answers but sees no other one counts as lost, with its watch", async () => {
  await using deployment = await Deployment.start({ withEtcdCluster: true });
  const [, ...others] = deployment.members;
  await Promise.all(others.map((member) => member.pause()));
  await eventually(async () => {
    assert.equal((await deployment.page()).value("dynamo_metrics_etcd_connected"), 0);
  }, { timeoutMs: 20_000 });
  for (const member of others) member.resume();
  await eventually(() => deployment.register("a1"));
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_etcd_connected"), 1);
    assert.deepEqual(Object.keys(page.states()), ["161"]);
  });
});
