import assert from "node:assert/strict";
import { type Goal, GOALS, judge, type Verdict } from "../../bench/goals.ts";
import type { Measure } from "../../bench/measure.ts";
import { changeText, goalTable, measureTable, reportText, verdicts } from "../../bench/report.ts";
import { ROWS } from "../../bench/rows.ts";
import { measure, run } from "./runs.ts";

const AT_MOST: Goal = { measure: "row/ratio", what: "a ratio", max: 1.5 };
const AT_LEAST: Goal = { measure: "row/ratio", what: "a ratio", min: 0.9 };

const JUDGED: readonly (readonly [string, Goal, Measure | undefined, Verdict])[] = [
  ["a median at the limit", AT_MOST, measure("row/ratio", [1, 1.5, 9]), "met"],
  ["a median above what is allowed", AT_MOST, measure("row/ratio", [1, 1.51, 9]), "MISSED"],
  ["a median at what is asked", AT_LEAST, measure("row/ratio", [0.9]), "met"],
  ["a median below what is asked", AT_LEAST, measure("row/ratio", [0.89]), "MISSED"],
  ["a measure without values", AT_MOST, measure("row/ratio", []), "NOT MEASURED"],
  ["no measure", AT_LEAST, undefined, "NOT MEASURED"],
];

for (const [what, goal, measured, verdict] of JUDGED) {
  Deno.test(`${what} is ${verdict}`, () => assert.equal(judge(goal, measured), verdict));
}

Deno.test("every goal is of a row that there is, and has one limit", () => {
  for (const { measure, max, min } of GOALS) {
    assert.ok(ROWS.some(({ name }) => measure.startsWith(`${name}/`)), measure);
    assert.notEqual(max === undefined, min === undefined, measure);
  }
});

Deno.test("a goal's line has what is wanted, what was measured, and the verdict with its reason", () => {
  const results = run([measure("row/ratio", [2, 3, 4], "ratio"), {
    ...measure("row/other", []),
    missing: "no peer",
  }]);
  const goals = [{ ...AT_MOST, explained: "SCALING.md" }, { measure: "row/other", what: "another", min: 3 }];
  assert.deepEqual(goalTable(results, goals).split("\n").map((line) => line.split(/ {2,}/)), [
    ["goal", "wanted", "median", "verdict"],
    ["a ratio", "≤ 1.50 ×", "3.00 ×", "MISSED, see SCALING.md"],
    ["another", "≥ 3.00 ms", "–", "NOT MEASURED: no peer"],
  ]);
  assert.deepEqual(verdicts(results, goals), ["MISSED", "NOT MEASURED"]);
});

Deno.test("a measure's line has median, minimum, maximum and the median before", () => {
  const before = new Map([["row/ms", measure("row/ms", [10])]]);
  const lines = measureTable([measure("row/ms", [9, 5, 4]), {
    ...measure("row/none", []),
    missing: "no peer",
  }], before);
  assert.deepEqual(lines.split("\n").map((line) => line.split(/ {2,}/)), [
    ["measure", "median", "min", "max", "repeats", "before"],
    ["row/ms", "5.00 ms", "4.00 ms", "9.00 ms", "3", "10.0 ms (−50 %)"],
    ["row/none", "NOT MEASURED", "no peer"],
  ]);
});

const CHANGES: readonly (readonly [number, number, string])[] = [
  [100, 109, "100 ms"],
  [100, 91, "100 ms"],
  [100, 125, "100 ms (+25 %)"],
  [100, 50, "100 ms (−50 %)"],
  [0, 3, "0.00 ms"],
];

for (const [was, is, text] of CHANGES) {
  Deno.test(`from ${was} to ${is} is told as ${text}`, () => {
    assert.equal(changeText(measure("row/ms", [is]), measure("row/ms", [was])), text);
  });
}

Deno.test("what was not measured before has no change", () => {
  assert.equal(changeText(measure("row/ms", [1]), undefined), "");
  assert.equal(changeText(measure("row/ms", [1]), measure("row/ms", [])), "");
});

Deno.test("a report says on what and of which commit it is, and what shared the cores", () => {
  const results = run([measure("row/ms", [1])], { dirty: true, quick: true });
  const report = reportText(results, {
    goals: [AT_MOST],
    baseline: run([measure("row/ms", [2])], { commit: "0ld" }),
  });
  assert.match(report, /commit c73a7b28f89a with changes, quick: figures are rough/);
  assert.match(
    report,
    /AMD EPYC, 2 cores, 23\.5 GiB, .*, Deno 2\.9\.6, nats-server 2\.9\.10, load before 0\.12/,
  );
  assert.match(report, /compared with .* commit 0ld/);
  assert.match(report, /row\/ms .* 2\.00 ms \(−50 %\)/);
  assert.match(report, /of a core: program 41 %, fleet 0 %/);
  assert.match(report, /a remark/);
  assert.match(report, /V8's profile:\n {2}1\.0 ms here/);
  assert.match(report, /a ratio .* NOT MEASURED/);
});
