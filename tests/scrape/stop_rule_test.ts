import assert from "node:assert/strict";
import { decideStop, type RoundProgress, type StopDecision } from "../../lib/scrape/stop_rule.ts";

const limits = { hardMs: 1_000, quietMs: 100 };
const begun: RoundProgress = { startedMs: 0, lastHeardMs: 0, expected: 0, missing: 0, openServices: 3 };

const rows: readonly [
  sentence: string,
  progress: Partial<RoundProgress>,
  nowMs: number,
  decision: StopDecision,
][] = [
  ["waits for an expected worker until the hard limit", { expected: 2, missing: 1 }, 10, { waitMs: 990 }],
  ["ends when all that are expected have answered", { expected: 2 }, 10, { end: "all_answered" }],
  ["does not end quietly while an expected worker is missing", { expected: 1, missing: 1 }, 500, {
    waitMs: 500,
  }],
  ["ends at the hard limit", { expected: 1, missing: 1 }, 1_000, { end: "hard_limit" }],
  ["waits for quiet when nobody is expected", {}, 40, { waitMs: 60 }],
  ["measures quiet from the last word", { lastHeardMs: 50 }, 120, { waitMs: 30 }],
  ["ends when it was quiet", { lastHeardMs: 50 }, 150, { end: "quiet" }],
  ["ends at the hard limit although words come", { lastHeardMs: 990 }, 1_000, { end: "hard_limit" }],
  ["waits no longer than the hard limit for quiet", { lastHeardMs: 950 }, 960, { waitMs: 40 }],
  ["ends at once when nobody listens at any name", { openServices: 0 }, 1, { end: "no_responders" }],
  ["ends so too when workers are expected", { openServices: 0, expected: 3, missing: 3 }, 1, {
    end: "no_responders",
  }],
];

for (const [sentence, progress, nowMs, decision] of rows) {
  Deno.test(`a round ${sentence}`, () => {
    assert.deepEqual(decideStop({ ...begun, ...progress }, limits, nowMs), decision);
  });
}
