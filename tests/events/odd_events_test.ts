import assert from "node:assert/strict";
import { EventError } from "../../lib/dynamo/event_error.ts";
import { parseHitRate } from "../../lib/dynamo/hit_rate.ts";
import { emptyFleet } from "../../lib/fleet/fleet.ts";
import { ODD_EVENTS } from "./odd_events.ts";
import { addHitRates, NO_HIT_RATES } from "../../lib/fleet/hit_rates.ts";
import { namespaceSnapshot } from "../../lib/fleet/snapshot.ts";
import { renderText } from "../helpers/render_text.ts";
import { snapshotTarget } from "../helpers/fleet_at_once.ts";

/** The events as they were sent, each with the sums that the original showed after it (`isl_blocks w=1 10`). */
const SENT = readSent();

Deno.test("every captured event has a row, and the row says whether the original counted it", () => {
  assert.deepEqual(ODD_EVENTS.map(({ event }) => event), SENT.map(({ event }) => event));
  let before: readonly string[] = [];
  ODD_EVENTS.forEach(({ event, original }, index) => {
    const { sums } = SENT[index]!;
    assert.equal(sums.join() === before.join() ? "refused" : "counted", original, event);
    before = sums;
  });
});

for (const { event, original, ours, why } of ODD_EVENTS) {
  Deno.test(`the event ${event} is ${ours === "counted" ? "counted" : `refused: ${ours}`}`, () => {
    assert.equal(read(event), ours);
    assert.equal(why === undefined, (original === "counted") === (ours === "counted"));
  });
}

Deno.test("after all events that both count, our sums are the original's", () => {
  const both = ODD_EVENTS.filter(({ original, ours }) => original === "counted" && ours === "counted");
  const now = { monotonicMs: 0, epochMs: 0 };
  const limits = { staleAfterMs: 3_000, forgetAfterMs: 30_000, stuckAfterMs: 10_000 };
  const target = { namespace: "dynamo", component: "c", endpoint: "e" };
  const events = both.map(({ event }) => parseHitRate(event));
  const namespace = namespaceSnapshot(target.namespace, addHitRates(NO_HIT_RATES, events, 0));
  const targets = [snapshotTarget(emptyFleet(target), { now, limits, namespace })];
  const page = renderText({ seq: 1, at: now, connections: [], namespaces: [namespace], targets }, []);
  const sums = [...page.matchAll(/^llm_kv_hit_rate_(\w+)\{.*worker_id="(\d+)"\} (\S+)$/gm)]
    .map(([, name, worker, value]) => `${name} w=${worker} ${value}`);
  const others = ["-3", "8"]; // Ids of the rows in which the two differ.
  const theirs = SENT.at(-1)!.sums.filter((sum) => !others.some((id) => sum.includes(`w=${id} `)));
  assert.deepEqual(sums.toSorted(), theirs.toSorted());
});

function read(event: string): string {
  try {
    parseHitRate(event);
    return "counted";
  } catch (error) {
    assert.ok(error instanceof EventError);
    return error.problem;
  }
}

function readSent(): { event: string; sums: string[] }[] {
  const file = new URL("../testdata/original_behaviour/hit-rate-events.txt", import.meta.url);
  const lines = Deno.readTextFileSync(file).split("\n");
  return lines.flatMap((line, index) => {
    if (!line.startsWith("EVENT ")) return [];
    const sums = [...lines[index + 1]!.matchAll(/'([^']*)'/g)].map(([, sum]) => sum!);
    return [{ event: line.slice("EVENT ".length), sums }];
  });
}
