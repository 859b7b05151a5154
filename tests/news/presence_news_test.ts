import assert from "node:assert/strict";
import { AbsenceReport, type Presence } from "../../lib/news/presence_news.ts";

/** The seconds at which something was said, of rounds a second apart. */
function said(report: AbsenceReport, rounds: { from: number; to: number; presence: Presence }): string[] {
  const lines: string[] = [];
  for (let second = rounds.from; second <= rounds.to; second++) {
    const what = report.note(rounds.presence, second * 1_000);
    if (what !== undefined) lines.push(`${second} ${what}`);
  }
  return lines;
}

Deno.test("that nobody answers is said at once, then ever less often, up to once a minute", () => {
  const report = new AbsenceReport();
  assert.deepEqual(
    said(report, { from: 0, to: 250, presence: "absent" }),
    [0, 1, 3, 7, 15, 31, 63, 123, 183, 243].map((second) => `${second} absent`),
  );
});

Deno.test("that somebody answers is said once, and a new absence at once again", () => {
  const report = new AbsenceReport();
  assert.deepEqual(said(report, { from: 0, to: 100, presence: "present" }), ["0 present"]);
  assert.deepEqual(said(report, { from: 101, to: 104, presence: "absent" }), [
    "101 absent",
    "102 absent",
    "104 absent",
  ]);
  assert.deepEqual(said(report, { from: 105, to: 110, presence: "present" }), ["105 present"]);
  assert.deepEqual(said(report, { from: 111, to: 112, presence: "absent" }), ["111 absent", "112 absent"]);
});

Deno.test("that nobody of those registered was heard is said after three seconds, and not as an absence", () => {
  const report = new AbsenceReport();
  assert.deepEqual(said(report, { from: 0, to: 2, presence: "unheard" }), []);
  assert.deepEqual(said(report, { from: 3, to: 7, presence: "unheard" }), [
    "3 unheard",
    "4 unheard",
    "6 unheard",
  ]);
  assert.deepEqual(said(report, { from: 8, to: 9, presence: "present" }), ["8 present"]);
  assert.deepEqual(said(report, { from: 10, to: 10, presence: "absent" }), ["10 absent"]);
  assert.deepEqual(said(report, { from: 11, to: 14, presence: "unheard" }), ["14 unheard"]);
});
