import assert from "node:assert/strict";
import type { Target } from "../../lib/dynamo/target.ts";
import { emptyFleet } from "../../lib/fleet/fleet.ts";
import { ENTRY_REJECTIONS, noRejections, readReply } from "../../lib/scrape/answer.ts";
import { ODD_REPLIES, type OddReply } from "./odd_replies.ts";
import { renderText } from "../helpers/render_text.ts";
import { apply, snapshotTarget } from "../helpers/fleet_at_once.ts";

interface Capture {
  readonly replies: readonly { readonly body: unknown; readonly delay?: number }[];
  /** The original's page after these replies. */
  readonly metrics: string;
}

const CAPTURES = readCaptures();
const target: Target = { namespace: "dynamo", component: "VllmWorker", endpoint: "load_metrics" };
const limits = { staleAfterMs: 3_000, forgetAfterMs: 30_000, stuckAfterMs: 10_000 };
const now = { monotonicMs: 0, epochMs: 0 };

Deno.test("every captured odd reply has a row", () => {
  assert.deepEqual(ODD_REPLIES.map(({ capture }) => capture), Object.keys(CAPTURES));
});

for (const row of ODD_REPLIES) {
  Deno.test(`the odd reply "${row.capture}" shows what its row says, the original's way and ours`, () => {
    const capture = CAPTURES[row.capture]!;
    assert.deepEqual(shownBy(capture.metrics), row.original);
    const { page, counted } = show(capture);
    if (row.ours === "same") {
      assert.deepEqual(originalSamples(page), originalSamples(capture.metrics));
      assert.equal(row.why, undefined);
    } else {
      const shown = shownBy(page);
      assert.deepEqual(shown === "nothing" ? {} : shown, row.ours);
      assert.notDeepEqual(originalSamples(page), originalSamples(capture.metrics));
      assert.ok(row.why);
    }
    assert.deepEqual(counted, row.counted ?? []);
  });
}

/** Our page after these replies, each in its own time, and what was counted beside. */
function show({ replies }: Capture): { page: string; counted: string[] } {
  const reads = replies.map(({ body, delay = 0 }) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const at = { monotonicMs: delay * 1_000, epochMs: delay * 1_000 };
    const service = "dynamo_vllmworker_3f6fafd3";
    return readReply(new TextEncoder().encode(text), { service, endpoint: target.endpoint, request: 1, at });
  });
  const answers = reads.flatMap((read) => read.answers);
  const inTime = answers.filter(({ at }) => at.monotonicMs <= 1_000);
  const collected = { replies: reads.length, ...noRejections() };
  const first = apply(emptyFleet(target), {
    kind: "round",
    round: { ...collected, answers: inTime, request: 1, sentAt: now, endedAt: now, outcome: "quiet" },
  }, { now, limits });
  const late = { ...collected, answers: answers.filter((answer) => !inTime.includes(answer)) };
  const { fleet } = apply(first.fleet, { kind: "late", replies: late }, { now, limits });
  const shown = snapshotTarget(fleet, { now, limits });
  const page = renderText({ seq: 1, at: now, connections: [], namespaces: [], targets: [shown] }, []);
  const { no_data, undecodable } = shown.workersByState;
  const counted = [
    ...reads.flatMap(({ rejected, rejectedEntries }) => [
      ...(rejected ? [rejected] : []),
      ...ENTRY_REJECTIONS.filter((reason) => rejectedEntries[reason] > 0),
    ]),
    ...(first.notes.uncounted.duplicate_id > 0 ? ["duplicate_id"] : []),
    ...(no_data > 0 ? ["no_data"] : []),
    ...(undecodable > 0 ? ["undecodable"] : []),
  ];
  return { page, counted };
}

function shownBy(page: string): OddReply["original"] {
  const samples = originalSamples(page);
  if (samples.length === 0) return "nothing";
  const blocks = samples.flatMap((line) => {
    const match = /^llm_kv_blocks_active\{.*worker_id="(\d+)"\} (\S+)$/.exec(line);
    return match ? [[match[1]!, Number(match[2])] as const] : [];
  });
  return blocks.length === 0 && page.includes("NaN") ? "NaN" : Object.fromEntries(blocks);
}

function originalSamples(page: string): string[] {
  return page.split("\n").filter((line) => line.startsWith("llm_")).toSorted();
}

/** The captures with every number as it was written: `2.0` must not become `2`. */
function readCaptures(): Readonly<Record<string, Capture>> {
  const file = new URL("../testdata/original_behaviour/odd-replies.json", import.meta.url);
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  const keep = (_: string, value: unknown, { source }: { source: string }) =>
    typeof value === "number" ? rawJSON(source) : value;
  const captures = JSON.parse(Deno.readTextFileSync(file), keep as never) as Record<string, Capture>;
  return Object.fromEntries(
    Object.entries(captures).map(([name, { replies, metrics }]) => [name, {
      metrics,
      replies: replies.map(({ body, delay }) => ({
        body,
        ...(delay !== undefined && { delay: Number(JSON.stringify(delay)) }),
      })),
    }]),
  );
}
