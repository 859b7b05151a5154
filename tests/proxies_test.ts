import assert from "node:assert/strict";
import { ownProgram } from "../tools/program.ts";
import { PageReader } from "../tools/page_reader.ts";
import { startEtcd } from "../tools/servers/etcd.ts";
import { startNats } from "../tools/servers/nats.ts";
import { startNginx } from "../tools/servers/nginx.ts";
import { startPushgateway } from "../tools/servers/pushgateway.ts";
import { eventually } from "./helpers/eventually.ts";
import { startMetrics } from "./helpers/metrics_process.ts";
import { capturedPage, PageServer } from "./helpers/page_server.ts";

const NAMED = ["--component", "my_component", "--endpoint", "my_endpoint", "--poll-interval", "0.2"];

/** All variables name a proxy where nobody listens. */
const AWAY = Object.fromEntries(
  ["http_proxy", "https_proxy", "all_proxy", "grpc_proxy"].flatMap((name) => [
    [name, "http://me:hunter2@127.0.0.1:9"],
    [name.toUpperCase(), "http://me:hunter2@127.0.0.1:9"],
  ]),
);

Deno.test("proxy variables stand neither between us and NATS and etcd nor between us and workers' pages", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using pages = new PageServer(() => new Response(capturedPage(1)));
  const env = { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url, ...AWAY };
  await using _workers = ownProgram("mock_worker.ts", { args: ["--release", "0.6.0"], env });
  await using metrics = await startMetrics({
    args: [...NAMED, "--worker-url", `${pages.origin}/metrics`],
    env,
  });
  await eventually(async () => {
    const page = new PageReader(await metrics.page());
    assert.equal(page.loaded().length, 1);
    assert.deepEqual(page.values("dynamo_metrics_worker_registered"), [1]);
    assert.ok(pages.asked >= 2);
  });
});

Deno.test("a push obeys the proxy variables, is compressed, and passes an nginx as it comes", async () => {
  await using nats = await startNats();
  await using gateway = await startPushgateway();
  // A proxy that knows one way: whatever it is asked for is asked of the Pushgateway.
  await using proxy = await startNginx({ server: `location / { proxy_pass ${gateway.url}; }` });
  const env = { NATS_SERVER: nats.url };
  await using _workers = ownProgram("mock_worker.ts", {
    args: ["--no-etcd", "--workers", "700", "--steady"],
    env: { ...env, DYN_LOG: "warn" },
  });
  await using metrics = ownProgram("main.ts", {
    args: [
      ...NAMED,
      "--no-etcd",
      "--push",
      "--push-url",
      "http://gateway.invalid:9091",
      "--push-interval",
      "0.5",
    ],
    env: { ...env, HTTP_PROXY: proxy.url, NO_PROXY: "other.invalid" },
  });
  await eventually(async () => {
    const page = await (await fetch(`${gateway.url}/metrics`)).text();
    assert.equal(page.match(/^llm_kv_blocks_active\{/gm)?.length, 700, metrics.log + proxy.logTail);
    assert.ok(page.length > 1_048_576);
  }, { timeoutMs: 30_000 });
  assert.doesNotMatch(metrics.log, /Failed to push|uncompressed/);
});

Deno.test("a push that fails at a proxy names it without its password, and NO_PROXY keeps a push from it", async () => {
  await using nats = await startNats();
  await using gateway = await startPushgateway();
  const push = (env: Readonly<Record<string, string>>) =>
    ownProgram("main.ts", {
      args: [...NAMED, "--no-etcd", "--push", "--push-url", gateway.url, "--push-interval", "0.2"],
      env: { NATS_SERVER: nats.url, ...AWAY, ...env },
    });
  await using straight = push({ NO_PROXY: "127.0.0.0/8" });
  await eventually(async () => {
    assert.match(await (await fetch(`${gateway.url}/metrics`)).text(), /dynamo_metrics_up/);
  });
  assert.doesNotMatch(straight.log, /Failed to push/);
  await using through = push({});
  await through.logged(
    /Failed to push .*cause="through the proxy http:\/\/127\.0\.0\.1:9: .*[Cc]onnection refused/,
  );
  assert.equal(await through.stop(), 0);
  assert.doesNotMatch(through.log, /hunter2/);
});
