import assert from "node:assert/strict";
import { FILE_EXPIRES_AFTER_MS } from "../../lib/dynamo/file_name.ts";
import { FileAges } from "../../lib/transport/file_ages.ts";

const HOUR = 3_600;
/** The wall clock at the start of each row, in s since 1970. */
const EPOCH = 1_800_000_000;

/** One reading: when, by our monotonic clock, and the time that the file carries from the start on; undefined: no file. */
type Reading = readonly [atS: number, touchedS: number | undefined, isKey: boolean];

const rows: Readonly<Record<string, readonly Reading[]>> = {
  "touched every 3.34 s is a key for ever": Array.from(
    { length: 60 },
    (_, n): Reading => [n, Math.floor(n / 3.34) * 3.34, true],
  ),
  "an hour old at the start is no key": [[0, -HOUR, false], [1, -HOUR, false], [30, -HOUR, false]],
  "no longer touched is a key until Dynamo would have deleted it": [
    ...[0, 2, 4, 6, 8, 10, 12].map((at): Reading => [at, 0, true]),
    [14, 0, false],
    [16, 0, false],
  ],
  "9 s old at the start is a key for the rest of its time": [[0, -9, true], [2, -9, true], [4, -9, true], [
    5,
    -9,
    false,
  ]],
  "of a clock an hour ahead that is dead is a key for its time after the start": [
    ...[0, 2, 4, 6, 8, 10, 12].map((at): Reading => [at, HOUR, true]),
    [14, HOUR, false],
  ],
  "of a clock an hour ahead that is alive is a key from the start": [
    [0, HOUR, true],
    [3, HOUR + 3, true],
    [6, HOUR + 6, true],
  ],
  "of a clock an hour behind that is alive is a key from its first touch": [
    [0, -HOUR, false],
    [1, -HOUR, false],
    [2, -HOUR + 2, true],
    [5, -HOUR + 5, true],
  ],
  "of a clock that is set back is a key": [[0, 0, true], [3, 3, true], [6, -HOUR, true], [
    9,
    -HOUR + 3,
    true,
  ]],
  "of a day ago, once no more than moved to a day ago, is touched": [[0, -24 * HOUR, false], [
    1,
    -25 * HOUR,
    true,
  ]],
  "not touched while the folder could not be read for an hour is a key": [[0, 0, true], [1, 0, true], [
    HOUR,
    0,
    true,
  ]],
  "not touched after such an hour expires like any other": [
    [0, 0, true],
    [HOUR, 0, true],
    ...[2, 4, 6, 8, 10].map((after): Reading => [HOUR + after, 0, true]),
    [HOUR + 12, 0, false],
  ],
  "of a folder that takes 30 s to read is a key although it seems late": [
    [0, 0, true],
    [30, 27, true],
    [60, 27, true],
    [90, 87, true],
  ],
  "dead in a folder that takes 30 s to read goes in the end": [
    ...[0, 30, 60, 90, 120, 150, 180].map((at): Reading => [at, 0, true]),
    [210, 0, false],
  ],
  "gone and there again with its old time is as old as that says": [
    [0, 0, true],
    [1, undefined, false],
    [60, 0, false],
    [62, 61, true],
  ],
};

for (const [what, readings] of Object.entries(rows)) {
  Deno.test(`a file ${what}`, () => {
    let ages = new FileAges({ expiresAfterMs: FILE_EXPIRES_AFTER_MS, maxStepMs: 2_000 });
    for (const [atS, touchedS, isKey] of readings) {
      const touched = new Map(touchedS === undefined ? [] : [["file", (EPOCH + touchedS) * 1_000]]);
      ages = ages.after(touched, { monotonicMs: atS * 1_000, epochMs: (EPOCH + atS) * 1_000 });
      assert.equal(ages.has("file"), isKey, `${atS} s after the start`);
    }
  });
}

Deno.test("our own wall clock counts at first sight alone", () => {
  let ages = new FileAges({ expiresAfterMs: FILE_EXPIRES_AFTER_MS, maxStepMs: 2_000 });
  const epochs = [EPOCH, EPOCH + HOUR, EPOCH - HOUR, EPOCH + 10 * HOUR];
  for (const [n, epochS] of epochs.entries()) {
    ages = ages.after(new Map([["file", EPOCH * 1_000]]), {
      monotonicMs: n * 1_000,
      epochMs: epochS * 1_000,
    });
    assert.ok(ages.has("file"));
  }
});
