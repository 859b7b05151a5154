import assert from "node:assert/strict";
import { revokeLease } from "../../tools/etcd_gateway.ts";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { TcpProxy } from "../helpers/tcp_proxy.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

Deno.test("while etcd is away the last known workers and channels stand; back, a worker whose key went is gone at once", async () => {
  let proxy: TcpProxy | undefined;
  await using deployment = await ZmqDeployment.start({
    etcdPort: (port) => (proxy = new TcpProxy({ hostname: "127.0.0.1", port })).port,
  });
  using network = proxy!;
  const { captured } = deployment;
  await deployment.shows(BLOCKS);
  network.cut();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_etcd_connected"), 0);
    assert.equal(page.value("dynamo_metrics_membership_from_etcd"), 0);
    assert.equal(page.value("dynamo_metrics_up"), 0);
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), BLOCKS);
    assert.deepEqual(page.byWorker("llm_kv_blocks_total"), { [FIRST]: 512, [SECOND]: 512 });
  });
  assert.deepEqual(await deployment.ready(), { status: "degraded", reasons: ["etcd is not connected"] });
  // Channels stand: their publishers may go and come, and say something new.
  await captured.killPublishers(SECOND);
  await captured.publish(SECOND, ({ events }) => ({ frames: events[0]! }));
  await deployment.shows({ [FIRST]: 63, [SECOND]: 28 });
  await revokeLease(captured.etcd.url, FIRST);
  const meanwhile = await deployment.page();
  assert.deepEqual(meanwhile.states(), { [FIRST]: "responding", [SECOND]: "responding" });
  network.restore();
  await eventually(async () => { // It speaks on, and has been heard within the minute.
    const page = await deployment.page();
    assert.deepEqual(page.states(), { [SECOND]: "responding" });
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { [SECOND]: 28 });
    assert.equal(page.value("dynamo_metrics_workers_gone_total", { reason: "deregistered" }), 1);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
  assert.deepEqual(await deployment.ready(), { status: "ok", reasons: [] });
});

Deno.test("an etcd that is killed and comes back empty has lost the workers that nobody asks; registered again they are there", async () => {
  await using deployment = await ZmqDeployment.start();
  await deployment.shows(BLOCKS);
  await deployment.captured.etcd.kill();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_etcd_connected"), 0);
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), BLOCKS);
  });
  await deployment.captured.etcd.start();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_up"), 1);
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), BLOCKS); // It kept its data.
  });
  await deployment.captured.etcd.wipe();
  await eventually(async () => assert.deepEqual((await deployment.page()).states(), {}));
  await deployment.captured.register();
  await deployment.shows(BLOCKS);
});
