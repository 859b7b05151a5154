import assert from "node:assert/strict";
import type { Worker } from "../../lib/exposition/api_v1.ts";
import {
  conditionOf,
  partialNote,
  silentRanksNote,
  stuckMs,
  workerNotes,
} from "../../lib/view/worker_notes.ts";

const SINCE = "2026-01-01T00:00:00.000Z";
const NOW_MS = Date.parse(SINCE) + 20_900;

const NOTES: readonly (readonly [worker: Partial<Worker>, notes: readonly string[]])[] = [
  [{}, []],
  [{ requests_in_flight: 8, ranks_expected: 8, ranks_heard: 4 }, []],
  [{ stuck_since: SINCE, requests_in_flight: 8 }, ["bad: 8 requests in flight, no forward pass for 20 s"]],
  [{ stuck_since: SINCE, requests_in_flight: 1 }, ["bad: 1 request in flight, no forward pass for 20 s"]],
  [{ stuck_since: SINCE }, []],
  [{ first_pass_pending: true, requests_in_flight: 8 }, ["plain: 8 requests in flight, none started yet"]],
  [{ first_pass_pending: true }, []],
  [{ page_problem: "http://h:1/: refused" }, ["warn: Page: http://h:1/: refused"]],
  [{ ranks: [{ dp_rank: 0, silent: false }, { dp_rank: 2 }] }, []],
  [
    {
      stuck_since: SINCE,
      requests_in_flight: 2,
      page_problem: "x",
      ranks: [{ dp_rank: 0, silent: true }, { dp_rank: 1 }, { dp_rank: 3, silent: true }],
    },
    ["bad: 2 requests in flight, no forward pass for 20 s", "bad: ranks 0, 3 are silent", "warn: Page: x"],
  ],
];

for (const [fields, notes] of NOTES) {
  Deno.test(`of a worker with ${JSON.stringify(fields)} is said: ${notes.join(" and ") || "nothing"}`, () => {
    const said = workerNotes(workerOf(fields), NOW_MS).map(({ tone, text }) => `${tone}: ${text}`);
    assert.deepEqual(said, notes);
  });
}

Deno.test("a sum over some ranks has its sign; one over all, or over how many is not known, has none", () => {
  const signs = [[4, 8], [0, 2], [8, 8], [9, 8], [undefined, 8], [4, undefined]].map(([heard, expected]) =>
    partialNote(workerOf({
      ...(heard !== undefined && { ranks_heard: heard }),
      ...(expected !== undefined && { ranks_expected: expected }),
    }))
  );
  assert.deepEqual(signs, ["4 of 8 ranks", "0 of 2 ranks", undefined, undefined, undefined, undefined]);
});

Deno.test("a clock that is behind makes no worker stuck for less than nothing, and a silent worker is only silent", () => {
  assert.equal(stuckMs({ stuck_since: SINCE }, Date.parse(SINCE) - 5_000), 0);
  const ranks = [{ dp_rank: 1, silent: true }];
  assert.equal(conditionOf(workerOf({ state: "silent", stuck_since: SINCE, ranks })), "silent");
  assert.equal(conditionOf(workerOf({ state: "no_data", stuck_since: SINCE, ranks })), "stuck");
  assert.equal(conditionOf(workerOf({ state: "no_data", ranks })), "silent_ranks");
  assert.equal(silentRanksNote(workerOf({ ranks })), "rank 1 is silent");
});

function workerOf(fields: Partial<Worker>): Worker {
  return { id: "1", state: "responding", channels: [], ...fields };
}
