import assert from "node:assert/strict";
import { numberText } from "../../lib/exposition/number.ts";

const rows: readonly [value: number, text: string][] = [
  [40, "40"],
  [0, "0"],
  [0.5, "0.5"],
  [Math.fround(0.1), "0.10000000149011612"],
  [Math.fround(1e-9), "0.0000000009999999717180685"], // As the original printed it.
  [2 ** 63, "9223372036854776000"], // As the original printed it.
  [1e21, "1000000000000000000000"],
  [1.5e300, `15${"0".repeat(299)}`],
  [-2.5e-7, "-0.00000025"],
  [5e-324, `0.${"0".repeat(323)}5`],
  [NaN, "NaN"],
  [Infinity, "+Inf"],
  [-Infinity, "-Inf"],
];

for (const [value, text] of rows) {
  Deno.test(`the sample value ${value} is written as ${text.slice(0, 30)}`, () => {
    assert.equal(numberText(value), text);
    if (Number.isFinite(value)) assert.equal(Number(text), value);
  });
}
