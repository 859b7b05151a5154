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

Deno.test("what a server that began anew does not remember stays, with a gap for the time without it", () => {
  const series = new Series();
  series.append(50, { load: 5 });
  series.append(60, { load: 6, silent: 1 });
  series.gap();
  series.append(80, { load: 8 });
  series.append(85, { load: 9 });
  series.remember({ step_seconds: 2, to: at(84) }, {
    load: [null, null, 7, 8, 8.5],
    slots: [null, null, 1, 2, 3],
  });
  assert.deepEqual(series.times, [50, 60, 60.001, 80, 82, 84, 85]);
  assert.deepEqual(series.values("load"), [5, 6, null, 7, 8, 8.5, 9]);
  assert.deepEqual(series.values("silent"), [null, 1, null, null, null, null, null]);
  assert.deepEqual(series.values("slots"), [null, null, null, 1, 2, 3, null]);
});

Deno.test("a server that remembers nothing takes nothing away", () => {
  const series = new Series();
  series.append(50, { load: 5 });
  series.remember({ step_seconds: 2, to: at(60) }, { load: [null, null] });
  series.remember({ step_seconds: 2, to: at(60) }, {});
  assert.deepEqual([series.times, series.values("load")], [[50], [5]]);
  series.remember({ step_seconds: 2, to: at(40) }, { load: [1, 2] });
  assert.deepEqual([series.times, series.values("load")], [[38, 40, 50], [1, 2, 5]]);
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
