import assert from "node:assert/strict";
import {
  countersKey,
  NO_PREFIX_HITS,
  notePrefixHits,
  prefixHitRatio,
  type PrefixHits,
} from "../../lib/fleet/prefix_hits.ts";

/** Of ranks, at seconds. */
type Readings = readonly (readonly [rank: number, second: number, hits: number, queries: number])[];

function read(...readings: Readings): PrefixHits {
  return readings.reduce<PrefixHits>(
    (known, [rank, second, hits, queries]) =>
      notePrefixHits(known, String(rank), { atMs: second * 1_000, hits, queries }),
    NO_PREFIX_HITS,
  );
}

const CASES: readonly [what: string, readings: Readings, ratio: number | undefined][] = [
  ["after a first reading that since the engine's start", [[0, 0, 60, 100]], 0.6],
  ["of an engine that was never asked not known", [[0, 0, 0, 0], [0, 2, 0, 0]], undefined],
  ["the increase of hits over that of queries", [[0, 0, 60, 100], [0, 2, 65, 150]], 0.1],
  ["since the start if nothing was asked meanwhile", [[0, 0, 60, 100], [0, 200, 60, 100]], 0.6],
  [
    "of the last five minutes alone",
    [[0, 0, 0, 0], [0, 100, 90, 100], [0, 400, 90, 100], [0, 500, 90, 200]],
    0,
  ],
  ["that of a counter that began anew", [[0, 0, 600, 1_000], [0, 2, 5, 10]], 0.5],
  ["that before and after a counter began anew", [[0, 0, 0, 0], [0, 2, 40, 100], [0, 4, 30, 100]], 0.35],
  [
    "summed over ranks, not the mean of theirs",
    [[0, 0, 0, 0], [1, 0, 0, 0], [0, 2, 90, 100], [1, 2, 0, 900]],
    0.09,
  ],
  ["unknown if there are more hits than queries", [[0, 0, 7, 5]], undefined],
  ["what it was, if an older reading comes late", [[0, 5, 60, 100], [0, 2, 1, 1_000]], 0.6],
];

for (const [what, readings, ratio] of CASES) {
  Deno.test(`the hit rate is ${what}`, () => {
    assert.equal(prefixHitRatio(read(...readings), ["0", "1"]), ratio);
  });
}

Deno.test("five minutes of readings two seconds apart are kept in few steps", () => {
  const hits = read(...Array.from({ length: 1_000 }, (_, n) => [0, 2 * n, n, 2 * n] as const));
  const { readings } = hits.get("0")!;
  assert.ok(readings.length <= 33, `${readings.length} readings are kept`);
  const spanMs = readings.at(-1)!.atMs - readings[0]!.atMs;
  assert.ok(spanMs >= 300_000 && spanMs <= 312_000, `they span ${spanMs} ms`);
  assert.equal(prefixHitRatio(hits, ["0"]), 0.5);
});

Deno.test("counters of another page are others, and there are never more than a worker can have", () => {
  const one = countersKey({ via: "http://a/metrics 7", dpRank: 0 });
  assert.notEqual(one, countersKey({ via: "http://b/metrics 7", dpRank: 0 }));
  const hits = read(...Array.from({ length: 1_000 }, (_, n) => [n, 1, 1, 2] as const));
  assert.equal(hits.size, 512);
  assert.ok(hits.has("999") && !hits.has("0"));
});
