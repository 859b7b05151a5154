import assert from "node:assert/strict";
import { pieces, places, profileText, type TurnedProfile } from "../../bench/probes/profile.ts";

const FRAMES: readonly (readonly [id: number, functionName: string, url: string])[] = [
  [1, "(root)", ""],
  [2, "(program)", ""],
  [3, "(garbage collector)", ""],
  [4, "render", "file:///somewhere/lib/exposition/render.ts"],
  [5, "parse", "file:///somewhere/node_modules/.deno/nats@2.29.3/node_modules/nats/lib/parser.js"],
];

/** A profile with a sample each millisecond, of the nodes of these ids. */
function profile(samples: readonly number[], turnsMs: readonly number[] = []): TurnedProfile {
  return {
    nodes: FRAMES.map(([id, functionName, url]) => ({ id, callFrame: { functionName, url } })),
    startTime: 0,
    samples,
    timeDeltas: samples.map((_, n) => n === 0 ? 0 : 1_000),
    turnsUs: turnsMs.map((ms) => ms * 1_000),
    waitedUs: turnsMs.map(() => 0),
  };
}

Deno.test("time is counted by function and file, the most first, time outside of code left out", () => {
  assert.deepEqual(places(profile([4, 4, 2, 5, 3, 4, 2])), [
    { place: "render lib/exposition/render.ts", ms: 3 },
    { place: "parse npm:nats/lib/parser.js", ms: 1 },
    { place: "(garbage collector)", ms: 1 },
  ]);
});

Deno.test("a piece ends where V8 is outside of all code", () => {
  assert.deepEqual(pieces(profile([4, 4, 2, 4, 5, 4, 2, 2])).map(({ ms }) => ms), [3, 2]);
});

Deno.test("a piece ends where the loop turned, also when no sample saw it", () => {
  assert.deepEqual(pieces(profile([4, 4, 4, 4, 4, 2], [2, 2.5])).map(({ ms }) => ms), [2.5, 2, 0.5]);
});

Deno.test("garbage collection belongs to the piece that it interrupts, and is told apart", () => {
  const [piece] = pieces(profile([4, 3, 3, 4, 2]));
  assert.equal(piece?.ms, 4);
  assert.equal(piece?.garbageMs, 2);
});

Deno.test("a long time without a sample is none of work as far as the thread had no core", () => {
  const render = { ...profile([4, 4, 4, 2], [0, 20]), timeDeltas: [0, 1_000, 1_000, 12_200] };
  const longest = (waitedUs: readonly number[]) => pieces({ ...render, waitedUs })[0]?.ms;
  assert.equal(longest([0, 0]), 14.2);
  assert.equal(longest([3_000, 7_000]), 10.2);
  assert.equal(longest([3_000, 40_000]), 2.2);
});

Deno.test("the text begins with the longest pieces and what they are made of", () => {
  assert.deepEqual(profileText(profile([4, 5, 2, 4, 2])), [
    "a piece of 2.0 ms: 1.0 ms render lib/exposition/render.ts; 1.0 ms parse npm:nats/lib/parser.js",
    "a piece of 1.0 ms: 1.0 ms render lib/exposition/render.ts",
    "2.0 ms render lib/exposition/render.ts",
    "1.0 ms parse npm:nats/lib/parser.js",
  ]);
});
