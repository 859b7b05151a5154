import assert from "node:assert/strict";
import { median, ratios, type Unit, valueText } from "../../bench/measure.ts";

Deno.test("the median is the middle value, or the mean of the two in the middle", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.ok(Number.isNaN(median([])));
});

Deno.test("ratios are taken repeat by repeat", () => {
  assert.deepEqual(ratios([2, 9], [1, 3]), [2, 3]);
});

const TEXTS: readonly (readonly [number, Unit, string])[] = [
  [1.2345, "ratio", "1.23 ×"],
  [0.0049, "ms", "0.00 ms"],
  [12.345, "ms", "12.3 ms"],
  [123.45, "MiB", "123 MiB"],
  [99.95, "%", "99.95 %"],
  [100, "%", "100.00 %"],
  [7.5, "%", "7.5 %"],
  [31_234.5, "per second", "31,235/s"],
  [1_234_567, "bytes", "1,234,567 bytes"],
  [0, "count", "0"],
  [NaN, "ms", "–"],
];

for (const [value, unit, text] of TEXTS) {
  Deno.test(`${value} in ${unit} is written as ${text}`, () => {
    assert.equal(valueText(value, unit), text);
  });
}
