import assert from "node:assert/strict";
import { GOALS } from "../../bench/goals.ts";
import { arithmeticPart, goalsPart, measuresPart } from "../../tools/docs/bench.ts";
import { measure, run } from "./runs.ts";

Deno.test("before anything is measured the documents say so", () => {
  for (const part of [goalsPart, measuresPart, arithmeticPart]) {
    assert.equal(part(undefined), "Nothing is measured yet: `deno task bench`.");
  }
});

Deno.test("each goal has its line in the README, then the machine and the commit", () => {
  const lines = goalsPart(run([measure("round/1000/ratio", [1.2], "ratio")])).split("\n");
  assert.equal(lines.filter((line) => line.startsWith("| ")).length, 2 + GOALS.length);
  assert.equal(
    lines[2],
    "| whole round and page, 1,000 workers, over scrape floor + text floor | ≤ 1.50 × | 1.20 × | met |",
  );
  assert.match(lines.at(-1)!, /^A run of 2026-11-24, commit c73a7b28f89a: AMD EPYC, 2 cores shared with /);
});

Deno.test("a hundred thousand workers are ten processes of ten thousand each", () => {
  const part = arithmeticPart(run([
    measure("round/1000/series", [15_000], "count"),
    measure("round/10000/series", [150_000], "count"),
    measure("round/1000/reply_bytes", [700], "bytes"),
    measure("round/10000/reply_bytes", [700], "bytes"),
    measure("endurance/10000/cpu", [18.4], "%"),
  ]));
  const rows = new Map(
    part.split("\n").map((line) => {
      const [, what = "", ...cells] = line.split("|").map((cell) => cell.trim());
      return [what, cells.slice(0, 3)];
    }),
  );
  assert.deepEqual(rows.get("processes"), ["1", "1", "10"]);
  assert.deepEqual(rows.get("series"), ["15,000", "150,000", "1,500,000"]);
  assert.deepEqual(rows.get("their bandwidth to `metrics`"), ["5.6 Mbit/s", "56 Mbit/s", "560 Mbit/s"]);
  assert.deepEqual(rows.get("samples a second, every 15 s"), ["1,000", "10,000", "100,000"]);
  assert.deepEqual(rows.get("CPU of `metrics`, read twice a second"), [
    "– % of a core",
    "18 % of a core",
    "184 % of a core",
  ]);
});
