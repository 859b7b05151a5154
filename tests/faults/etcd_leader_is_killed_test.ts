import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { leaderLast } from "../helpers/etcd_members.ts";
import { eventually } from "../helpers/eventually.ts";
import type { EtcdServer } from "../../tools/servers/etcd.ts";

for (const [which, place] of [["that is used", 0], ["that another one follows", 2]] as const) {
  Deno.test(`after the leader ${which} is killed, new workers are seen at the others`, async () => {
    let members: EtcdServer[] = [];
    await using deployment = await Deployment.start({
      withEtcdCluster: true,
      etcdUrls: async (all) => {
        members = await leaderLast(all);
        if (place === 0) members.reverse();
        return members.map(({ url }) => url);
      },
    });
    await members[place]!.kill();
    await eventually(() => deployment.registerAt(members[1]!, "a1"));
    await eventually(async () => {
      const page = await deployment.page();
      assert.deepEqual(Object.keys(page.states()), ["161"]);
      assert.equal(page.value("dynamo_metrics_etcd_connected"), 1);
    });
    const killed = `member="?127.0.0.1:${members[place]!.port}`;
    await eventually(() => assert.equal(deployment.said(RegExp(`Left an etcd member aside ${killed}`)), 1));
    await members[place]!.start();
    await eventually(() => assert.equal(deployment.said(RegExp(`member answers again ${killed}`)), 1), {
      timeoutMs: 20_000,
    });
  });
}
