import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { TcpProxy } from "../helpers/tcp_proxy.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("when the network to etcd is cut the page says so, and all is there after it", async () => {
  let proxy: TcpProxy | undefined;
  await using deployment = await Deployment.start({
    etcdPort: ({ port }) => (proxy = new TcpProxy({ hostname: "127.0.0.1", port })).port,
  });
  using network = proxy!;
  deployment.play(2);
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 2);
    assert.equal(page.value("dynamo_metrics_membership_from_etcd"), 1);
  });
  network.cut();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_etcd_connected"), 0);
    assert.equal(page.loaded().length, 2);
    assert.equal(Object.keys(page.states()).length, 2);
  });
  assert.equal((await deployment.ready()).status, "degraded");
  network.restore();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 2);
    assert.equal(page.value("dynamo_metrics_etcd_connected"), 1);
  });
  await eventually(async () => assert.equal((await deployment.ready()).status, "ok"));
});
