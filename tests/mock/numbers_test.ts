import assert from "node:assert/strict";
import { MockNumbers } from "../../lib/mock/numbers.ts";

const OPTIONS = { seed: "7", index: 0, shape: "flat7", steady: false } as const;

/** Text of `count` loads and of as many events, drawn in turn. */
function drawn(options: Partial<ConstructorParameters<typeof MockNumbers>[0]> = {}, count = 20): string {
  const numbers = new MockNumbers({ ...OPTIONS, ...options });
  const rounds = Array.from({ length: count }, () => [numbers.nextLoad(), numbers.nextHitRate()]);
  return JSON.stringify([numbers.id, rounds]);
}

Deno.test("the same seed gives the same numbers, another seed or worker others", () => {
  assert.equal(drawn(), drawn());
  const others = [
    drawn(),
    drawn({ seed: "8" }),
    drawn({ index: 1 }),
    drawn({ seed: "70" }),
    drawn({ seed: "" }),
  ];
  assert.equal(new Set(others).size, others.length);
});

Deno.test("the numbers of a seed stay the same from one version of the program to the next", () => {
  const numbers = new MockNumbers(OPTIONS);
  assert.deepEqual([numbers.id, numbers.nextLoad(), numbers.nextHitRate()], ["5358890231945069766", {
    "shape": "flat7",
    "activeSlots": 41,
    "totalSlots": 100,
    "activeBlocks": 32,
    "totalBlocks": 100,
    "requestsWaiting": 49,
    "cacheUsageRatio": 0.1992855668067932,
    "prefixHitRatio": 0.1599642038345337,
  }, { "worker": "193", "islBlocks": 53, "overlapBlocks": 16 }]);
});

Deno.test("steady numbers do not depend on when or how often they are asked", () => {
  const numbers = new MockNumbers({ ...OPTIONS, steady: true });
  const [load, event] = [numbers.nextLoad(), numbers.nextHitRate()];
  for (let n = 0; n < 5; n++) assert.deepEqual([numbers.nextLoad(), numbers.nextHitRate()], [load, event]);
  const later = new MockNumbers({ ...OPTIONS, steady: true });
  for (let n = 0; n < 5; n++) later.nextHitRate();
  assert.deepEqual([later.nextLoad(), later.nextHitRate()], [load, event]);
  assert.deepEqual(new MockNumbers(OPTIONS).nextLoad(), load);
});

Deno.test("loads do not depend on how many events were drawn before", () => {
  const [busy, idle] = [new MockNumbers(OPTIONS), new MockNumbers(OPTIONS)];
  for (let n = 0; n < 9; n++) busy.nextHitRate();
  assert.deepEqual(busy.nextLoad(), idle.nextLoad());
});

Deno.test("numbers are in the ranges of the original, ends included", () => {
  const numbers = new MockNumbers(OPTIONS);
  const seen = { slots: new Set<number>(), blocks: new Set<number>(), waiting: new Set<number>() };
  const workers = new Set<string>();
  const isl = new Set<number>();
  for (let n = 0; n < 3_000; n++) {
    const load = numbers.nextLoad();
    seen.slots.add(load.activeSlots);
    seen.blocks.add(load.activeBlocks);
    seen.waiting.add(load.requestsWaiting!);
    assert.deepEqual([load.totalSlots, load.totalBlocks, load.dpRank, load.specDecode], [
      100,
      100,
      undefined,
      undefined,
    ]);
    for (const ratio of [load.cacheUsageRatio!, load.prefixHitRatio!]) {
      assert.ok(ratio >= 0 && ratio <= 1 && Math.fround(ratio) === ratio, `${ratio}`);
    }
    const event = numbers.nextHitRate();
    workers.add(event.worker);
    isl.add(event.islBlocks);
    assert.ok(event.overlapBlocks >= 0 && event.overlapBlocks <= event.islBlocks);
  }
  for (const values of [...Object.values(seen), isl]) {
    assert.deepEqual([Math.min(...values), Math.max(...values), values.size], [0, 100, 101]);
  }
  assert.equal(workers.size, 1);
});

Deno.test("the workers of a seed have ids of 63 bits and event workers of 1 to 1000", () => {
  const ids = new Set<string>();
  for (let index = 0; index < 2_000; index++) {
    const numbers = new MockNumbers({ ...OPTIONS, index });
    ids.add(numbers.id);
    assert.ok(BigInt(numbers.id) > 0n && BigInt(numbers.id) < 2n ** 63n);
    const worker = Number(numbers.nextHitRate().worker);
    assert.ok(worker >= 1 && worker <= 1000);
  }
  assert.equal(ids.size, 2_000);
});
