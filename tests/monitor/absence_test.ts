import assert from "node:assert/strict";
import { AbsenceReport } from "../../lib/monitor/absence.ts";

/** The seconds at which something was said, of rounds a second apart. */
function said(report: AbsenceReport, rounds: { from: number; to: number; anybody: boolean }): string[] {
  const lines: string[] = [];
  for (let second = rounds.from; second <= rounds.to; second++) {
    const what = report.note(rounds.anybody, second * 1_000);
    if (what !== undefined) lines.push(`${second} ${what}`);
  }
  return lines;
}

Deno.test("that nobody answers is said at once, then ever less often, up to once a minute", () => {
  const report = new AbsenceReport();
  assert.deepEqual(
    said(report, { from: 0, to: 250, anybody: false }),
    [0, 1, 3, 7, 15, 31, 63, 123, 183, 243].map((second) => `${second} absent`),
  );
});

Deno.test("that somebody answers is said once, and a new absence at once again", () => {
  const report = new AbsenceReport();
  assert.deepEqual(said(report, { from: 0, to: 100, anybody: true }), ["0 present"]);
  assert.deepEqual(said(report, { from: 101, to: 104, anybody: false }), [
    "101 absent",
    "102 absent",
    "104 absent",
  ]);
  assert.deepEqual(said(report, { from: 105, to: 110, anybody: true }), ["105 present"]);
  assert.deepEqual(said(report, { from: 111, to: 112, anybody: false }), ["111 absent", "112 absent"]);
});
