import assert from "node:assert/strict";
import { Series } from "../../web/series.ts";

const at = (seconds: number) => new Date(seconds * 1_000).toISOString();

Deno.test("what the server remembers is put before what the stream has said since", () => {
  const series = new Series();
  series.append(98, { load: 5 });
  series.append(100, { load: 7, silent: 1 });
  series.append(101, { load: 8 });
  series.remember({ step_seconds: 2, to: at(100) }, { load: [1, null, 3] });
  assert.deepEqual(series.times, [96, 98, 100, 101]);
  assert.deepEqual(series.values("load"), [1, null, 3, 8]);
  assert.deepEqual(series.values("silent"), [null, null, null, null]);
});

Deno.test("a moment that is not later than the last is left out", () => {
  const series = new Series();
  series.append(5, { load: 1 });
  series.append(5, { load: 2 });
  series.append(4, { load: 3 });
  assert.deepEqual([series.times, series.values("load")], [[5], [1]]);
});

Deno.test("series never hold much more than 15 minutes", () => {
  const series = new Series();
  for (let n = 0; n < 5_000; n++) series.append(n, { load: n });
  assert.ok(series.times.length <= 960, `${series.times.length} moments`);
  assert.equal(series.values("load").length, series.times.length);
  assert.equal(series.values("load").at(-1), 4_999);
});
