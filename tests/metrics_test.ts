import assert from "node:assert/strict";
import { etcdKeys } from "../tools/etcd_gateway.ts";
import { startEtcd } from "../tools/servers/etcd.ts";
import { startNats } from "../tools/servers/nats.ts";
import { eventually } from "./helpers/eventually.ts";
import { startMetrics } from "./helpers/metrics_process.ts";
import { startMockWorker } from "../lib/mock/mock_workers.ts";
import { USER } from "../tools/nats_users.ts";

const target = { namespace: "dynamo", component: "my_component", endpoint: "my_endpoint" };

Deno.test("mock workers of every service-name form are on the page, and leave it when they stop", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using metrics = await startMetrics({
    env: { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url },
    args: ["--component", "my_component", "--endpoint", "my_endpoint"],
  });
  const stop = new AbortController();
  const start = (release: "0.1.0" | "0.1.1" | "0.3.0", workers: number) =>
    startMockWorker({
      target,
      nats: { servers: [nats.url], auth: USER },
      etcd: { endpoints: [etcd.url] },
      signal: stop.signal,
      seed: "7",
      steady: true,
      release,
      workers,
    });
  {
    await using _a = start("0.1.0", 1);
    await using _b = start("0.1.1", 3);
    await using _c = start("0.3.0", 1);
    await eventually(async () => {
      const page = await metrics.page();
      assert.equal(page.match(/^llm_kv_blocks_active\{/gm)?.length, 5);
      assert.match(page, /dynamo_metrics_workers\{[^}]*state="responding"\} 5/);
      assert.match(page, /dynamo_metrics_up\{[^}]*\} 1/);
    });
  }
  await eventually(async () => {
    const page = await metrics.page();
    assert.doesNotMatch(page, /^llm_kv_blocks_active/m);
    assert.match(page, /dynamo_metrics_workers\{[^}]*state="silent"\} 0/);
  });
  assert.equal(await metrics.stop(), 0);
});

Deno.test("metrics started before NATS and etcd serves its page and shows the workers once they are there", async () => {
  const { freePorts } = await import("../tools/servers/ports.ts");
  const [port = 0] = freePorts(1);
  await using metrics = await startMetrics({
    env: { NATS_SERVER: `nats://127.0.0.1:${port}` },
    args: ["--component", "my_component", "--endpoint", "my_endpoint", "--no-etcd"],
  });
  await eventually(async () => assert.match(await metrics.page(), /dynamo_metrics_up\{[^}]*\} 0/));
  await using nats = await startNats({ port });
  await using _worker = startMockWorker({
    target,
    nats: { servers: [nats.url], auth: USER },
    signal: new AbortController().signal,
  });
  await eventually(async () => assert.match(await metrics.page(), /^llm_kv_blocks_active\{/m));
});

Deno.test("two metrics may watch one target, and neither writes to etcd", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  const start = () =>
    startMetrics({
      env: { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url },
      args: ["--component", "my_component", "--endpoint", "my_endpoint"],
    });
  await using first = await start();
  await using second = await start();
  for (const metrics of [first, second]) {
    await eventually(async () => {
      const page = await metrics.page();
      assert.match(page, /^dynamo_metrics_etcd_connected 1$/m);
      assert.match(page, /^dynamo_metrics_up\{[^}]*\} 1$/m);
    });
  }
  assert.deepEqual(await etcdKeys(etcd.url), []);
});
