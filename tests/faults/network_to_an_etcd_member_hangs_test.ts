import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { staysConnected } from "../helpers/etcd_members.ts";
import { eventually } from "../helpers/eventually.ts";
import { TcpProxy } from "../helpers/tcp_proxy.ts";

Deno.test("while the network to one member swallows all packets, another one takes its place", async () => {
  let proxy: TcpProxy | undefined;
  await using deployment = await Deployment.start({
    withEtcdCluster: true,
    etcdUrls: ([first, ...others]) => {
      proxy = new TcpProxy({ hostname: "127.0.0.1", port: first!.port });
      return [`http://127.0.0.1:${proxy.port}`, ...others.map(({ url }) => url)];
    },
  });
  using network = proxy!;
  assert.ok(network.open > 0);
  network.hang();
  await deployment.register("a1");
  await staysConnected(deployment, { forMs: 8_000 });
  await eventually(async () => assert.deepEqual(Object.keys((await deployment.page()).states()), ["161"]));
  assert.equal(
    deployment.said(new RegExp(`Left an etcd member aside member="?127.0.0.1:${network.port}`)),
    1,
  );
  assert.equal(deployment.said(/Lost the connection to etcd/), 0);
});
