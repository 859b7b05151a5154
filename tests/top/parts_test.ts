import assert from "node:assert/strict";
import { asciiText } from "../../lib/top/ascii.ts";
import { bar } from "../../lib/top/bar.ts";
import { fit, plain, spread, widthOf, wrapped } from "../../lib/top/line.ts";
import { printable } from "../../lib/view/printable.ts";
import { numberText, ofText, percentText, shortNumber, spanText } from "../../lib/top/numbers.ts";
import { sparkline } from "../../lib/top/sparkline.ts";

Deno.test("a bar fills its width to an eighth of a cell, shows the least use, and never more than all", () => {
  const rows: [ratio: number | undefined, text: string][] = [
    [undefined, ""],
    [0, "········"],
    [0.001, "▏·······"],
    [0.5, "████····"],
    [0.53, "████▎···"],
    [1, "████████"],
    [1.7, "████████"],
    [-1, "········"],
  ];
  for (const [ratio, text] of rows) {
    assert.equal(plain(bar(ratio, 8)), text, String(ratio));
    assert.equal(widthOf(bar(ratio, 8)), 8);
  }
});

Deno.test("how full a bar is can be told by its colour too: from 70 % on, from 90 % on", () => {
  const colors = [0.1, 0.69, 0.7, 0.89, 0.9, 1].map((ratio) => bar(ratio, 8)[0]!.color);
  assert.deepEqual(colors, ["green", "green", "yellow", "yellow", "red", "red"]);
});

Deno.test("a cell of a sparkline is the mean of ten seconds, the newest at the right, a gap where nothing was known", () => {
  const seconds = (...tens: (number | null)[]) => tens.flatMap((value) => Array(10).fill(value));
  const rows: [values: (number | null)[], options: { width: number; max?: number }, text: string][] = [
    [[], { width: 3 }, "   "],
    [seconds(0, 0.5, 1), { width: 3, max: 1 }, "▁▅█"],
    [seconds(0, 0.5, 1), { width: 2, max: 1 }, "▅█"],
    [seconds(0, 0.5, 1), { width: 5, max: 1 }, "  ▁▅█"],
    [seconds(0, 0.5, 1).slice(5), { width: 3, max: 1 }, "▁▅█"],
    [seconds(1, null, 1), { width: 3, max: 1 }, "█ █"],
    [[...seconds(1), ...Array(9).fill(null), 0.5], { width: 2, max: 1 }, "█▅"],
    [seconds(10, 20), { width: 2 }, "▅█"],
    [seconds(0, 0), { width: 2 }, "▁▁"],
    [seconds(3), { width: 1, max: 1 }, "█"],
  ];
  for (const [values, options, text] of rows) {
    assert.equal(sparkline(values, { ...options, stepSeconds: 1 }), text);
  }
  assert.equal(sparkline([0, 0.5, 1], { width: 3, stepSeconds: 30, max: 1 }), "▁▅█");
  assert.equal(sparkline(Array(200).fill(1), { width: 3, stepSeconds: 0.1, max: 1 }), " ██");
});

Deno.test("numbers are short, and what is not known is said so", () => {
  assert.deepEqual([undefined, 0, 99_999, 100_000, 1.5e7, 3e15, 1e20].map(shortNumber), [
    "–",
    "0",
    "99999",
    "100k",
    "15M",
    "3000T",
    "lots",
  ]);
  assert.deepEqual([undefined, 0, 0.004, 0.999, 1, 2, 100].map(percentText), [
    "   –",
    "  0%",
    "  0%",
    "100%",
    "100%",
    "200%",
    "999%",
  ]);
  assert.deepEqual([undefined, -5, 0, 9_940, 9_960, 119_000, 120_000, 7_200_000, 2e8].map(spanText), [
    "–",
    "0.0s",
    "0.0s",
    "9.9s",
    "10s",
    "119s",
    "2m",
    "2h",
    "2d",
  ]);
  assert.deepEqual([numberText(3), numberText(1.234), numberText(52.54)], ["3", "1.23", "52.5"]);
  assert.deepEqual([ofText(1, 2), ofText(undefined, 2), ofText(undefined, undefined)], ["1/2", "–/2", "–"]);
});

Deno.test("a line is cut or filled to its width, and of two in one the first gives way", () => {
  const line = [{ text: "abc", bold: true }, { text: "def" }];
  assert.deepEqual(fit(line, 4), [{ text: "abc", bold: true }, { text: "d" }]);
  assert.deepEqual(fit(line, 8), [...line, { text: "  " }]);
  assert.equal(plain(spread(line, [{ text: "XY" }], 9)), "abcdef XY");
  assert.equal(plain(spread(line, [{ text: "XY" }], 6)), "abc XY");
  assert.equal(plain(spread(line, [{ text: "XY" }], 1)), "a");
});

Deno.test("text is measured, cut and filled by the cells that a terminal gives it", () => {
  const rows: [text: string, cells: number][] = [
    ["", 0],
    ["abc·▏▲–", 7],
    ["模型", 4],
    ["한국어", 6],
    ["ｱｲ", 2],
    ["😀", 2],
    ["❤\ufe0f", 2],
    ["👍🏽", 2],
    ["🇩🇪", 2],
    ["e\u0301", 1],
    ["é", 1],
  ];
  for (const [text, cells] of rows) assert.equal(widthOf([{ text }]), cells, text);
  assert.deepEqual(fit([{ text: "模型😀" }], 5), [{ text: "模型 " }]);
  assert.deepEqual(fit([{ text: "模型😀" }], 6), [{ text: "模型😀" }]);
  assert.deepEqual(fit([{ text: "模型" }, { text: "x" }], 7), [{ text: "模型" }, { text: "x" }, {
    text: "  ",
  }]);
  assert.equal(plain(spread([{ text: "模型模型" }], [{ text: "1" }], 8)), "模型模 1");
  assert.equal(plain(spread([{ text: "模型模型" }], [{ text: "1" }], 9)), "模型模  1");
});

Deno.test("long text is put in lines, between words where that is possible", () => {
  const rows: [text: string, width: number, lines: readonly string[]][] = [
    ["", 5, [""]],
    ["one", 5, ["one"]],
    ["one two", 7, ["one two"]],
    ["one two", 6, ["one", "two"]],
    ["a twelve-letter word", 6, ["a", "twelve", "-lette", "r word"]],
    ["模模模", 4, ["模模", "模"]],
    ["模模模", 3, ["模", "模", "模"]],
    ["模模", 1, ["模", "模"]],
    ["模 ab", 4, ["模", "ab"]],
    ["ab", 1, ["a", "b"]],
  ];
  for (const [text, width, lines] of rows) assert.deepEqual(wrapped(text, width), lines, text);
});

Deno.test("text from outside cannot command the terminal", () => {
  assert.equal(printable("a\x1b[31m\n\t\x7f\x9b\u202e\u2028b é模"), "a�[31m������b é模");
});

Deno.test("in ASCII text is as wide as it was, and what is not known is a question mark for each cell", () => {
  const rows: [text: string, ascii: string][] = [
    ["plain ~", "plain ~"],
    ["█████▋··  71%", "######..  71%"],
    ["▁▂▃▄▅▆▇█ ", "_.:-=+*# "],
    ["52.5 ± 12.3 blocks", "52.5 +-12.3 blocks"],
    ["KV▼ WORKER▲ ↑↓ –", "KVv WORKER^ ^v -"],
    ["…004780", "~004780"],
    ["模型é\ufffd", "??????"],
  ];
  for (const [text, ascii] of rows) {
    assert.equal(asciiText(text), ascii);
    assert.equal(widthOf([{ text }]), ascii.length, text);
  }
});
