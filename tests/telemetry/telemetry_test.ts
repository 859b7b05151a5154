import assert from "node:assert/strict";
import type { Observation, Said } from "../../lib/events/observation.ts";
import type { UnheardReason } from "../../lib/fleet/fleet.ts";
import { Telemetry } from "../../lib/telemetry/telemetry.ts";
import { a, at, observed } from "../helpers/fleet_steps.ts";

const TARGET = { namespace: "n", component: "c", endpoint: "e" };
const OTHER = { namespace: "n", component: "d", endpoint: "e" };

function started(): Telemetry {
  const build = { version: "1", revision: "r" };
  return new Telemetry({ targets: [TARGET, OTHER], build, pushing: false, publishing: true });
}

/** The values of a family that are not 0, by their labels. */
async function counted(telemetry: Telemetry, name: string): Promise<Record<string, number>> {
  const family = (await telemetry.counted()).find((family) => family.name === `dynamo_metrics_${name}`);
  return Object.fromEntries(
    family!.values.filter(({ value }) => value !== 0).map((
      { labels, value },
    ) => [Object.values(labels).join(" "), value]),
  );
}

Deno.test("events of nobody that is known are counted by event and reason", async () => {
  const telemetry = started();
  const said: readonly [Said, UnheardReason][] = [
    [{ kind: "blocks", usedBlocks: 1 }, "unknown_worker"],
    [{ kind: "forward_pass", running: 1, waiting: 0 }, "unknown_worker"],
    [{ kind: "heartbeat" }, "too_many_workers"],
  ];
  const unheard = new Map<Observation, UnheardReason>(
    said.map(([said, reason]) => [observed(1, a, said), reason]),
  );
  const input = {
    kind: "events",
    observations: [...unheard.keys()],
    lost: new Set(),
    counts: new Map(),
  } as const;
  telemetry.note({ namespace: "n", input: { ...input, lost: new Set<string>() }, unheard });
  assert.deepEqual(await counted(telemetry, "events_rejected_total"), {
    "n kv_metrics unknown_worker": 1,
    "n forward-pass-metrics unknown_worker": 1,
    "n forward-pass-metrics too_many_workers": 1,
  });
});

Deno.test("what belongs to one of two targets is counted for it alone", async () => {
  const telemetry = started();
  const rejected = { not_json: 2, envelope: 0, too_large: 0 };
  const rejectedEntries = { worker_id: 0, load: 1 };
  const replies = { answers: [], replies: 3, rejected, rejectedEntries };
  const notes = {
    uncounted: { duplicate_id: 0, late: 1, too_many_workers: 0 },
    gone: { deregistered: 1, forgotten: 0 },
    unheard: new Map(),
  };
  const round = { ...replies, request: 1, sentAt: at(0), endedAt: at(5), outcome: "quiet" } as const;
  telemetry.note({ target: OTHER, input: { kind: "round", round }, notes });
  telemetry.note({ target: OTHER, input: { kind: "late", replies }, notes });
  assert.deepEqual(await counted(telemetry, "rounds_total"), { "n d e": 1 });
  assert.deepEqual(await counted(telemetry, "replies_total"), { "n d e": 6 });
  assert.deepEqual(await counted(telemetry, "replies_rejected_total"), {
    "n d e not_json": 4,
    "n d e late": 2,
  });
  assert.deepEqual(await counted(telemetry, "workers_gone_total"), { "n d e deregistered": 2 });
});

Deno.test("every counter of each target is there with 0 from the start, of a namespace once", async () => {
  const families = await started().counted();
  const labelsOf = (name: string) =>
    families.find((family) => family.name === `dynamo_metrics_${name}`)!.values.map(({ labels }) =>
      Object.values(labels).join(" ")
    );
  assert.deepEqual(labelsOf("rounds_total"), ["n c e", "n d e"]);
  assert.deepEqual(labelsOf("publishes_total"), ["n c e", "n d e"]);
  assert.deepEqual(labelsOf("events_total"), ["n kv-hit-rate", "n kv_metrics", "n forward-pass-metrics"]);
});
