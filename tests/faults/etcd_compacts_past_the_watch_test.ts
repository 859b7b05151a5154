import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { TcpProxy } from "../helpers/tcp_proxy.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("keys that change while we are cut off, and are compacted away, are known after the return", async () => {
  let proxy: TcpProxy | undefined;
  await using deployment = await Deployment.start({
    etcdPort: ({ port }) => (proxy = new TcpProxy({ hostname: "127.0.0.1", port })).port,
  });
  using network = proxy!;
  await deployment.register("a1");
  await eventually(async () => assert.deepEqual((await deployment.page()).states(), { 161: "discovered" }));
  network.cut();
  await eventually(async () => {
    assert.equal((await deployment.page()).value("dynamo_metrics_etcd_connected"), 0);
  });
  await deployment.register("a2", "a3");
  await deployment.compactEtcd();
  network.restore();
  await eventually(async () => {
    assert.deepEqual(Object.keys((await deployment.page()).states()), ["161", "162", "163"]);
  });
  await deployment.register("a4");
  await eventually(async () => assert.equal(Object.keys((await deployment.page()).states()).length, 4));
});
