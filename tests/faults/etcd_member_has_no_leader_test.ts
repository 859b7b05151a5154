import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { msToConnect, staysConnected } from "../helpers/etcd_members.ts";
import { eventually } from "../helpers/eventually.ts";
import { startEtcdWithoutLeader } from "../../tools/servers/etcd.ts";

Deno.test("a member without a leader is left aside for one that has one, and the log names it", async () => {
  await using sick = await startEtcdWithoutLeader();
  await using deployment = await Deployment.start({
    etcdUrls: (members) => [sick.url, ...members.map(({ url }) => url)],
  });
  assert.ok(msToConnect(deployment.metrics.log()) < 5_000);
  await deployment.register("a1");
  await eventually(async () => assert.deepEqual(Object.keys((await deployment.page()).states()), ["161"]));
  await staysConnected(deployment, { forMs: 6_000 });
  assert.equal(deployment.said(new RegExp(`Left an etcd member aside member="?127.0.0.1:${sick.port}`)), 1);
  assert.equal(deployment.said(/Cannot reach etcd/), 0);
});
