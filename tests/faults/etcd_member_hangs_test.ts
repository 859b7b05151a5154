import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { leaderLast, msToConnect, staysConnected } from "../helpers/etcd_members.ts";
import { eventually } from "../helpers/eventually.ts";
import type { EtcdServer } from "../../tools/servers/etcd.ts";

Deno.test("while the member that is used hangs, another one takes its place, and the log names it", async () => {
  let members: EtcdServer[] = [];
  await using deployment = await Deployment.start({
    withEtcdCluster: true,
    etcdUrls: async (all) => (members = await leaderLast(all)).map(({ url }) => url),
  });
  const [used, other] = members as [EtcdServer, EtcdServer];
  await deployment.registerAt(other, "a1");
  await eventually(async () => assert.deepEqual(Object.keys((await deployment.page()).states()), ["161"]));
  await used.pause();
  await deployment.registerAt(other, "a2");
  await staysConnected(deployment, { forMs: 8_000 });
  await eventually(async () => {
    assert.deepEqual(Object.keys((await deployment.page()).states()), ["161", "162"]);
  });
  assert.equal(deployment.said(new RegExp(`Left an etcd member aside member="?127.0.0.1:${used.port}`)), 1);
  used.resume();
  await eventually(() => assert.equal(deployment.said(/An etcd member answers again/), 1), {
    timeoutMs: 20_000,
  });
  assert.equal(deployment.said(/Lost the connection to etcd/), 0);
  assert.equal(deployment.said(/Connected to etcd/), 1);
});

Deno.test("a member that hangs from the start is left aside within 5 s", async () => {
  await using deployment = await Deployment.start({
    withEtcdCluster: true,
    etcdUrls: async (all) => {
      const members = await leaderLast(all);
      await members[0]!.pause();
      return members.map(({ url }) => url);
    },
  });
  assert.ok(msToConnect(deployment.metrics.log()) < 5_000);
  assert.equal(deployment.said(/Left an etcd member aside/), 1);
  assert.equal(deployment.said(/Cannot reach etcd/), 0);
});
