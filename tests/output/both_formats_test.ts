import assert from "node:assert/strict";
import { joinBytes } from "../../lib/bytes.ts";
import type { Format } from "../../lib/exposition/sample.ts";
import { OPENMETRICS } from "../../lib/exposition/openmetrics.ts";
import { Pages } from "../../lib/exposition/pages.ts";
import { TEXT } from "../../lib/exposition/text.ts";
import { metricsRoute } from "../../lib/output/metrics_route.ts";
import { Telemetry } from "../../lib/telemetry/telemetry.ts";
import { giveWay } from "../../lib/timing.ts";
import { parseOpenMetrics } from "../../tools/servers/openmetrics.ts";
import { startPrometheus } from "../../tools/servers/prometheus.ts";
import { eventually } from "../helpers/eventually.ts";
import { snapshot } from "../helpers/shown_fleet.ts";

/** All that the program counts, as it stands at one moment, so that two scrapes find the same. */
async function countedOnce() {
  const { target } = snapshot.targets[0]!;
  const telemetry = new Telemetry({
    targets: [target],
    build: { version: "1", revision: "r" },
    pushing: true,
    publishing: true,
  });
  telemetry.push({ ok: true, epochMs: 1_795_518_811_469 });
  return await telemetry.counted();
}

const counted = await countedOnce();
const pages = new Pages({
  snapshot: () => snapshot,
  counted: () => Promise.resolve(counted),
  workerLabels: "full",
  pause: giveWay,
});

const textOf = async (format: Format) =>
  new TextDecoder().decode(joinBytes((await pages.lend(format, "identity")).page.parts));
const samplesOf = (page: string) => page.trimEnd().split("\n").filter((line) => !line.startsWith("#"));

/** The page, and on `/text` the page as who asks for no format gets it; notes what was answered. */
function serve(answered: Set<string>) {
  const handler = async (request: Request) => {
    const { pathname } = new URL(request.url);
    const headers = new Headers(request.headers);
    if (pathname === "/text") headers.delete("accept");
    const route = metricsRoute({ lend: (format, encoding) => pages.lend(format, encoding), gzip: true });
    const answer = await route(new Request(request.url, { headers }), new URL(request.url));
    answered.add(
      `${pathname} ${answer.headers.get("content-type")} ${answer.headers.get("content-encoding")}`,
    );
    return answer;
  };
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
}

Deno.test("a real Prometheus stores the same names and values of both formats", async () => {
  const answered = new Set<string>();
  await using server = serve(answered);
  const job = (name: string) => `
  - job_name: ${name}
    metrics_path: /${name}
    scrape_interval: 1s
    honor_labels: true
    static_configs: [{ targets: ["127.0.0.1:${server.addr.port}"], labels: { instance: "i" } }]`;
  await using prometheus = await startPrometheus({
    config: `scrape_configs:${job("text")}${job("openmetrics")}`,
  });
  const stored = async (job: string) => {
    const series = await prometheus.query(`{job="${job}",__name__!~"up|scrape_.*"}`);
    return series.map(({ metric: { job: _, ...metric }, value }) =>
      `${JSON.stringify(Object.entries(metric).toSorted())} ${value}`
    ).toSorted();
  };
  await eventually(async () => {
    assert.equal((await prometheus.query("sum(up)"))[0]?.value, 2);
  });
  const [text, openMetrics] = await Promise.all([stored("text"), stored("openmetrics")]);
  assert.deepEqual(openMetrics, text);
  assert.equal(text.length, samplesOf(await textOf(TEXT)).length);
  assert.deepEqual([...answered].toSorted(), [
    "/openmetrics application/openmetrics-text; version=1.0.0; charset=utf-8 gzip",
    "/text text/plain; version=0.0.4; charset=utf-8 gzip",
  ]);
});

Deno.test("the strict parser reads what the program counts of itself, under the names of the text format", async () => {
  const families = await parseOpenMetrics(await textOf(OPENMETRICS));
  const names = families.flatMap(({ samples }) => samples.map(({ name }) => name));
  assert.deepEqual(names, samplesOf(await textOf(TEXT)).map((line) => /^\w+/.exec(line)![0]));
  assert.ok(names.includes("process_cpu_seconds_total"));
  assert.ok(names.includes("dynamo_metrics_pushes_total"));
});
