import assert from "node:assert/strict";
import { FAMILIES } from "../lib/exposition/families.ts";
import { startMockWorker } from "../lib/mock/mock_workers.ts";
import { startEtcd } from "../tools/servers/etcd.ts";
import { startNats } from "../tools/servers/nats.ts";
import { promtool, startPrometheus } from "../tools/servers/prometheus.ts";
import { startPushgateway } from "../tools/servers/pushgateway.ts";
import { eventually } from "./helpers/eventually.ts";
import { startMetrics } from "./helpers/metrics_process.ts";
import { USER } from "../tools/nats_users.ts";

const DEPLOY = new URL("../deploy/metrics/", import.meta.url);
const target = { namespace: "dynamo", component: "my_component", endpoint: "my_endpoint" };

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly type: string; readonly query: string }[] };
}

const dashboard: Dashboard = JSON.parse(await Deno.readTextFile(new URL("grafana.json", DEPLOY)));
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr }))
);

Deno.test("promtool takes the Prometheus configuration", async () => {
  const { code, stderr } = await promtool(["check", "config", new URL("prometheus.yml", DEPLOY).pathname]);
  assert.equal(code, 0, stderr);
});

Deno.test("the dashboard keeps the original's uid, and every metric in it exists", () => {
  assert.equal(dashboard.uid, "llm-worker-metrics");
  const names = new Set(FAMILIES.map(({ name }) => name));
  const used = JSON.stringify(dashboard).match(/\b(?:llm|dynamo_metrics)_\w+/g)!;
  assert.ok(used.length > 0);
  assert.deepEqual(used.filter((name) => !names.has(name)), []);
});

Deno.test("every query of the dashboard returns data from a Prometheus that scrapes a running metrics, pulled and pushed", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using gateway = await startPushgateway();
  await using metrics = await startMetrics({
    args: ["--component", target.component, "--endpoint", target.endpoint, "--push-url", gateway.url],
    env: { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url },
  });
  await using workers = startMockWorker({
    target,
    nats: { servers: [nats.url], auth: USER },
    etcd: { endpoints: [etcd.url] },
    signal: new AbortController().signal,
    workers: 2,
    seed: "1",
    steady: true,
  });
  await eventually(() => assert.equal(workers.ids.length, 2));
  await using prometheus = await startPrometheus({
    config: `
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: dynamo-metrics
    static_configs: [{ targets: ["${new URL(metrics.url).host}"] }]
  - job_name: pushgateway
    honor_labels: true
    static_configs: [{ targets: ["127.0.0.1:${gateway.port}"] }]
`,
  });
  await eventually(async () => {
    assert.equal((await prometheus.query('llm_kv_blocks_active{job="dynamo-metrics"}')).length, 2);
    assert.equal((await prometheus.query('llm_kv_blocks_active{job="dynamo_metrics"}')).length, 2);
  }, { timeoutMs: 30_000 });
  for (const { title, expr } of queries) {
    const query = expr.replaceAll("$component", target.component).replaceAll("$endpoint", target.endpoint);
    const samples = await prometheus.query(query);
    assert.ok(samples.length > 0, `${title}: ${query}`);
    assert.ok(samples.every(({ value }) => Number.isFinite(value)), `${title}: ${query}`);
  }
  assert.ok(queries.length >= 9);
  for (const { type, query } of dashboard.templating.list) {
    if (type !== "query") continue;
    const [, series, label] = /^label_values\((.+), (\w+)\)$/.exec(query)!;
    const filled = series!.replaceAll("$component", target.component);
    assert.ok((await prometheus.query(filled)).every(({ metric }) => metric[label!]), query);
  }
});
