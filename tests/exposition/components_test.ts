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
