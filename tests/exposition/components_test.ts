import assert from "node:assert/strict";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { renderPage } from "../../lib/exposition/render.ts";
import { TEXT } from "../../lib/exposition/text.ts";
import type { Snapshot } from "../../lib/fleet/snapshot.ts";
import { responding, snapshot } from "../helpers/shown_fleet.ts";

const endpoints = [{ endpoint: "generate", requests: 3, errors: 0, processingSeconds: 1 }];

/** Two endpoints of one component, the first with one of its two workers. */
const watched: Snapshot = {
  ...snapshot,
  targets: [["generate", "1"], ["clear", "1", "2"]].map(([endpoint, ...ids]) => ({
    ...snapshot.targets[0]!,
    target: { namespace: "n", component: "c", endpoint: endpoint! },
    workers: ids.map((id) => ({ ...responding, id: id as WorkerId, endpoints })),
  })),
};

Deno.test("hit rates stand at the target that knows the worker, those of strangers at the first", () => {
  const sums = ["1", "2", "3"].map((id) => ({ worker: id as WorkerId, islBlocks: 4, overlapBlocks: 1 }));
  const namespace = { ...snapshot.namespaces[0]!, namespace: "n", hitRates: sums };
  const targets = ["a", "b"].map((component, n) => ({
    ...snapshot.targets[0]!,
    namespace,
    target: { namespace: "n", component, endpoint: "e" },
    workers: [{ ...responding, id: String(n + 1) as WorkerId }],
  }));
  const shown = { ...snapshot, namespaces: [namespace], targets };
  const page = [...renderPage(TEXT, { snapshot: shown, counted: [], workerLabels: "full" })].join("");
  const found = page.matchAll(
    /^llm_kv_hit_rate_isl_blocks\{component="(.)",endpoint="e",worker_id="(.)"\} 4$/gm,
  );
  assert.deepEqual([...found].map(([, component, id]) => component! + id), ["a1", "a3", "b2"]);
});

Deno.test("of a worker at several endpoints those counters are shown that are newest, and there", () => {
  const at = (ms: number) => ({ monotonicMs: ms, epochMs: ms });
  const counted = (requests: number, ms: number) => ({
    ...responding,
    id: "1" as WorkerId,
    endpoints: requests === 0 ? [] : [{ ...endpoints[0]!, requests }],
    lastAnswerAt: at(ms),
  });
  const shown = (...workers: readonly (typeof responding)[]) => {
    const targets = workers.map((worker, n) => ({
      ...watched.targets[n]!,
      workers: [worker],
    }));
    const page = renderPage(TEXT, { snapshot: { ...watched, targets }, counted: [], workerLabels: "full" });
    return /^dynamo_metrics_endpoint_requests_total\{.*\} (\d+)$/m.exec([...page].join(""))![1];
  };
  assert.equal(shown(counted(0, 9), counted(7, 5)), "7");
  assert.equal(shown(counted(6, 5), counted(7, 9)), "7");
  assert.equal(shown(counted(7, 9), counted(6, 5)), "7");
});

function lines(name: string, workerLabels: "full" | "none"): string[] {
  const page = [...renderPage(TEXT, { snapshot: watched, counted: [], workerLabels })].join("");
  return page.split("\n").filter((line) => line.startsWith(`${name}{`));
}

const COMPONENT = 'dynamo_namespace="n",dynamo_component="c",dynamo_endpoint="generate"';

Deno.test("an endpoint's counters are there once for each worker of the component, whichever endpoints are watched", () => {
  assert.deepEqual(
    lines("dynamo_metrics_endpoint_requests_total", "full"),
    ["1", "2"].map((id) => `dynamo_metrics_endpoint_requests_total{${COMPONENT},worker_id="${id}"} 3`),
  );
});

Deno.test("an endpoint's sum has each worker of the component once, whichever endpoints are watched", () => {
  assert.deepEqual(lines("dynamo_metrics_target_endpoint_requests", "none"), [
    `dynamo_metrics_target_endpoint_requests{${COMPONENT}} 6`,
  ]);
});
