import assert from "node:assert/strict";
import { ageText, durationText, numberText, percentText } from "../../web/text.ts";
import { shortId } from "../../lib/view/printable.ts";

const TEXTS: readonly [text: string, expected: string][] = [
  [numberText(undefined), "–"],
  [numberText(0), "0"],
  [numberText(86.666), "86.7"],
  [numberText(0.419), "0.42"],
  [numberText(1_204.4), "1,204"],
  [percentText(undefined), "–"],
  [percentText(0), "0 %"],
  [percentText(0.001), "<1 %"],
  [percentText(0.426), "43 %"],
  [percentText(0.999), "99 %"],
  [percentText(1), "100 %"],
  [durationText(0), "0"],
  [durationText(0.0002), "1 ms"],
  [durationText(0.0314), "31 ms"],
  [durationText(0.84), "0.8 s"],
  [durationText(12.7), "12 s"],
  [ageText(undefined), "–"],
  [ageText(0.9), "now"],
  [ageText(119), "119 s"],
  [ageText(120), "2 min"],
  [ageText(7_199), "119 min"],
  [ageText(7_200), "2 h"],
  [ageText(172_800), "2 d"],
  [shortId("1796551484602353181"), "…353181"],
  [shortId("42"), "42"],
];

Deno.test("numbers, shares, times and ids are written as people read them", () => {
  for (const [n, [text, expected]] of TEXTS.entries()) assert.equal(text, expected, `text ${n}`);
});
