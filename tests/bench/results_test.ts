import assert from "node:assert/strict";
import { measuresOf, readResults, resultsText } from "../../bench/results.ts";
import { measure, run } from "./runs.ts";

Deno.test("a run that was kept is read again, its numbers to five digits", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const results = run([measure("row/ms", [1.23456789, 1_234_567])]);
    await Deno.writeTextFile(file, resultsText(results));
    assert.deepEqual(measuresOf(readResults(file)).get("row/ms"), measure("row/ms", [1.2346, 1_234_567]));
    assert.equal(readResults(file).commit, results.commit);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a measure's values stand in one line, so that a change of one run is a change of one line", () => {
  assert.match(resultsText(run([measure("row/ms", [1.5, -2, 3])])), /"values": \[1\.5, -2, 3\]/);
});

Deno.test("a file that holds no run is refused by name", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, "{}");
    assert.throws(() => readResults(file), { message: `${file} holds no results of the benchmark` });
  } finally {
    await Deno.remove(file);
  }
});
