import assert from "node:assert/strict";
import { OPENMETRICS } from "../../lib/exposition/openmetrics.ts";
import { renderPage } from "../../lib/exposition/render.ts";
import { TEXT } from "../../lib/exposition/text.ts";
import type { WorkerLabels } from "../../lib/exposition/family.ts";
import type { Snapshot } from "../../lib/fleet/snapshot.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import { seriesCounts } from "../../tools/docs/series.ts";
import { parseOpenMetrics } from "../../tools/servers/openmetrics.ts";
import { promtool } from "../../tools/servers/prometheus.ts";
import { assertGolden } from "../helpers/golden.ts";
import { largeSnapshot } from "../helpers/large_fleet.ts";
import { counted, responding, snapshot } from "../helpers/shown_fleet.ts";

function render(snapshot: Snapshot, workerLabels: WorkerLabels): string {
  return [...renderPage(TEXT, { snapshot, counted, workerLabels })].join("");
}

function withWorkers(workers: readonly WorkerSnapshot[]): Snapshot {
  const namespace = { ...snapshot.namespaces[0]!, hitRates: [] };
  return { ...snapshot, namespaces: [namespace], targets: [{ ...snapshot.targets[0]!, namespace, workers }] };
}

/** The samples of a page whose names begin so. */
function samples(page: string, beginning: string): string[] {
  return page.split("\n").filter((line) => line.startsWith(beginning));
}

const none = render(snapshot, "none");

Deno.test("a whole page without worker labels", async () => {
  await assertGolden("page.no-worker-labels.txt", none);
});

Deno.test("without worker labels no series names a worker, and their number does not grow with the workers", () => {
  assert.doesNotMatch(none, /worker_id=|dp_rank=/);
  const series = (workers: number) =>
    render(largeSnapshot(1, { workers }), "none").split("\n").filter((line) => line !== "").length;
  assert.equal(series(1_000), series(1));
});

Deno.test("with worker labels no sums by target stand beside them", () => {
  assert.deepEqual(samples(render(snapshot, "full"), "dynamo_metrics_target_"), []);
});

const sums: readonly [sum: string, of: string][] = [
  ["dynamo_metrics_target_kv_blocks_used", "llm_kv_blocks_active"],
  ["dynamo_metrics_target_kv_blocks_capacity", "llm_kv_blocks_total"],
  ["dynamo_metrics_target_request_slots_used", "llm_requests_active_slots"],
  ["dynamo_metrics_target_request_slots_capacity", "llm_requests_total_slots"],
  ["dynamo_metrics_target_requests_waiting", "dynamo_metrics_worker_requests_waiting"],
  ["dynamo_metrics_target_spec_decode_step_drafts", "dynamo_metrics_worker_spec_decode_step_drafts"],
  [
    "dynamo_metrics_target_spec_decode_step_draft_tokens",
    "dynamo_metrics_worker_spec_decode_step_draft_tokens",
  ],
  [
    "dynamo_metrics_target_spec_decode_step_accepted_tokens",
    "dynamo_metrics_worker_spec_decode_step_accepted_tokens",
  ],
  ["dynamo_metrics_target_workers_registered", "dynamo_metrics_worker_registered"],
  ["dynamo_metrics_target_channel_workers", "dynamo_metrics_worker_channel"],
  ["dynamo_metrics_target_endpoint_requests", "dynamo_metrics_endpoint_requests_total"],
  ["dynamo_metrics_target_endpoint_errors", "dynamo_metrics_endpoint_errors_total"],
  ["dynamo_metrics_target_endpoint_processing_seconds", "dynamo_metrics_endpoint_processing_seconds_total"],
  ["dynamo_metrics_target_router_active_decode_blocks", "dynamo_metrics_router_active_decode_blocks"],
  ["dynamo_metrics_target_router_active_prefill_tokens", "dynamo_metrics_router_active_prefill_tokens"],
];

/** Three workers with numbers of their own. */
const several = withWorkers([1, 2, 3].map((n) => ({
  ...responding,
  numbers: {
    activeBlocks: n,
    totalBlocks: 10 * n,
    activeSlots: 3 * n,
    totalSlots: 7 * n,
    requestsWaiting: n - 1,
    specDecode: { specTokens: n, drafts: n, draftTokens: 2 * n, acceptedTokens: 5 * n },
  },
  estimates: [{ router: "9", dpRank: 0, activeDecodeBlocks: n, activePrefillTokens: 4 * n }],
  registered: n > 1,
})));

for (const [sum, of] of sums) {
  Deno.test(`${sum} is the sum of ${of}`, () => {
    const total = (page: string, name: string) => {
      const values = samples(page, `${name}{`).map((line) => Number(line.split(" ").at(-1)));
      assert.notEqual(values.length, 0, name);
      return values.reduce((sum, value) => sum + value, 0);
    };
    assert.equal(total(render(several, "none"), sum), total(render(several, "full"), of));
  });
}

Deno.test("a ratio of all workers is the mean of those that say it; what none says is absent", () => {
  const { cacheUsageRatio: _, ...silentOfUsage } = responding.numbers;
  const fleet = withWorkers([
    { ...responding, numbers: { ...silentOfUsage, cacheUsageRatio: 0.25 } },
    { ...responding, numbers: { ...silentOfUsage, cacheUsageRatio: 0.75 } },
    { ...responding, numbers: silentOfUsage },
  ]);
  const usage = "dynamo_metrics_target_kv_cache_usage_ratio";
  assert.match(samples(render(fleet, "none"), usage)[0]!, /\} 0.5$/);
  assert.deepEqual(samples(render(withWorkers([]), "none"), "dynamo_metrics_target_"), []);
});

Deno.test("promtool and the strict parser take a page without worker labels", async () => {
  assert.equal((await promtool(["check", "metrics"], { stdin: none })).stderr, "");
  const page = [...renderPage(OPENMETRICS, { snapshot, counted, workerLabels: "none" })].join("");
  assert.ok((await parseOpenMetrics(page)).length > 10);
});

Deno.test("a worker has as many series as the README says", () => {
  const { worker, channel, endpoint, rank, estimate, hitRate } = seriesCounts();
  const [target] = snapshot.targets;
  const whole = render({ ...snapshot, targets: [{ ...target!, workers: [responding] }] }, "full");
  const ofWorker = whole.split("\n").filter((line) => line.includes('worker_id="161"'));
  const absent = 4; // The prefill of its router; of one rank the running requests and the usage, of the other the hits.
  assert.equal(
    ofWorker.length,
    worker + channel * responding.channels.size + endpoint * responding.endpoints.length +
      rank * responding.ranks.length + estimate * responding.estimates.length - absent,
  );
  assert.equal(samples(whole, "llm_kv_hit_rate_").filter((line) => line.includes('"1"')).length, hitRate);
});
