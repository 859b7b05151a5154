import assert from "node:assert/strict";
import type { ModelCard } from "../../lib/dynamo/model_card.ts";
import { type Releases, releases } from "../../lib/dynamo/release.ts";
import type { PageNumbers } from "../../lib/dynamo/worker_page.ts";
import type { Observation } from "../../lib/events/observation.ts";
import { emptyFleet, type FleetInput } from "../../lib/fleet/fleet.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import { apply, snapshotTarget } from "../helpers/fleet_at_once.ts";
import { a, at, card, limits, lost, observations, observed, target } from "../helpers/fleet_steps.ts";

const NEW = releases("1.6.1");
const TO_1_5 = releases("1.4.2", "1.5.1");
const OLD = releases("1.1.1", "1.2.1");

/** Used blocks of an event; a finished pass; a heartbeat; a page's rank. Times are in milliseconds. */
const blocks = (ms: number, usedBlocks: number, dpRank = 0) =>
  observed(ms, a, { kind: "blocks", usedBlocks }, { dpRank });
const pass = (ms: number, running: number, waiting: number, dpRank = 0) =>
  observed(ms, a, { kind: "forward_pass", running, waiting }, { dpRank, via: "passes" });
const beat = (ms: number, dpRank = 0) => observed(ms, a, { kind: "heartbeat" }, { dpRank, via: "passes" });
const page = (ms: number, numbers: PageNumbers, via = "page") =>
  observed(ms, a, { kind: "page", numbers }, { dpRank: numbers.dpRank, channel: "http", via });
const inFlight = (ms: number, inFlight: number, via = "page") =>
  page(ms, { dpRank: "engine", inFlight }, via);

interface Case {
  readonly card?: Partial<ModelCard>;
  readonly of?: Releases;
  readonly heard: readonly Observation[];
  /** When it is looked at. */
  readonly atMs?: number;
}

/** What a registered worker shows of which this was heard. */
function shown({ card: more = {}, of = NEW, heard, atMs }: Case): WorkerSnapshot {
  const registration = { card: card(a, more), host: undefined, releases: of, unitReleases: of };
  const membership: FleetInput = {
    kind: "membership",
    channels: [],
    membership: {
      known: true,
      workers: new Map([[a, registration]]),
      publishers: new Set(),
      needsNats: false,
    },
  };
  const fleet = [membership, ...heard.map((one) => observations(one))].reduce(
    (fleet, input) => apply(fleet, input, { now: at(0), limits }).fleet,
    emptyFleet(target),
  );
  const nowMs = atMs ?? Math.max(...heard.map(({ at }) => at.monotonicMs));
  return snapshotTarget(fleet, { now: at(nowMs), limits }).workers[0]!;
}

type Wanted = Partial<
  Record<"used" | "total" | "usage" | "running" | "waiting" | "slots" | "inFlight", unknown>
>;

function numbersOf({ numbers }: WorkerSnapshot, wanted: Wanted): Wanted {
  const all: Record<keyof Wanted, number | undefined> = {
    used: numbers.activeBlocks,
    total: numbers.totalBlocks,
    usage: numbers.cacheUsageRatio,
    running: numbers.activeSlots,
    waiting: numbers.requestsWaiting,
    slots: numbers.totalSlots,
    inFlight: numbers.requestsInFlight,
  };
  return Object.fromEntries(Object.keys(wanted).map((name) => [name, all[name as keyof Wanted]]));
}

function table(rule: string, cases: readonly (readonly [what: string, of: Case, wanted: Wanted])[]): void {
  for (const [what, of, wanted] of cases) {
    Deno.test(`${rule}: ${what}`, () => assert.deepEqual(numbersOf(shown(of), wanted), wanted));
  }
}

const RANKS = { ranks: 2 };
const TOKENS = { blockSize: 16, totalBlocks: 256 };

table("used and usage are of one moment", [
  ["the page's, if it is newer", { heard: [blocks(1, 300), page(2, { dpRank: 0, cacheUsageRatio: 0.25 })] }, {
    used: 128,
    usage: 0.25,
  }],
  [
    "the event's, if it is newer",
    { heard: [page(1, { dpRank: 0, cacheUsageRatio: 0.25 }), blocks(2, 256)] },
    {
      used: 256,
      usage: 0.5,
    },
  ],
  ["vLLM's usage of one block fewer gives the true blocks", {
    heard: [page(1, { dpRank: 0, cacheUsageRatio: 31 / 255, totalBlocks: 256 })],
  }, { used: 31, total: 256 }],
  ["a usage of 32 bits gives whole blocks", {
    heard: [page(1, { dpRank: 0, cacheUsageRatio: Math.fround(0.29), totalBlocks: 1_000_000 })],
  }, { used: 290_000 }],
  ["by rank, each its own", {
    card: RANKS,
    heard: [
      blocks(1, 100, 0),
      page(2, { dpRank: 0, cacheUsageRatio: 0.5 }),
      page(2, { dpRank: 1, cacheUsageRatio: 0.25 }),
      blocks(3, 512, 1),
    ],
  }, { used: 768, usage: 0.75 }],
  ["without a total only what was said", {
    card: { totalBlocks: undefined } as never,
    heard: [page(1, { dpRank: 0, cacheUsageRatio: 0.25 })],
  }, { used: undefined, usage: 0.25 }],
]);

table("a usage above 1 is never shown", [
  ["of used blocks above the total", { heard: [blocks(1, 513)] }, { used: undefined, usage: undefined }],
  ["and the older page's stands", {
    heard: [page(1, { dpRank: 0, cacheUsageRatio: 0.25 }), blocks(2, 10_000)],
  }, { used: 128, usage: 0.25 }],
  ["of one rank, whatever the other has", {
    card: RANKS,
    heard: [blocks(1, 600, 0), blocks(1, 100, 1)],
  }, { used: 100, usage: 100 / 512 }],
  ["a full cache is", { heard: [blocks(1, 512)] }, { used: 512, usage: 1 }],
]);

table("placeholders never replace the card's total", [
  ["of a page without a total", { heard: [page(1, { dpRank: 0, running: 0 })] }, { total: 512 }],
  ["of the other rank's alone", {
    card: RANKS,
    heard: [page(1, { dpRank: 1, totalBlocks: 512, cacheUsageRatio: 0 })],
  }, { total: 1_024 }],
  ["and no rank's 0 is blocks while it works", {
    card: RANKS,
    of: TO_1_5,
    heard: [blocks(1, 0, 0), pass(1, 4, 0, 0), blocks(1, 32, 1), pass(1, 4, 0, 1)],
  }, { used: 32, running: 8 }],
  ["while an idle rank's 0 is", {
    card: RANKS,
    of: TO_1_5,
    heard: [blocks(1, 0, 0), beat(1, 0), blocks(1, 32, 1), pass(1, 4, 0, 1)],
  }, { used: 32, running: 4 }],
  ["and 0 counts in releases whose ranks know their totals", {
    card: RANKS,
    heard: [blocks(1, 0, 0), pass(1, 4, 0, 0), blocks(1, 32, 1)],
  }, { used: 32 }],
]);

table("units follow release and engine", [
  ["a card of vLLM to 1.2.1 holds all ranks", {
    card: RANKS,
    of: OLD,
    heard: [page(1, { dpRank: 0, engine: "vllm", cacheUsageRatio: 0.5 })],
  }, { total: 512, slots: 8 }],
  ["one of 1.6.1 holds one rank", {
    card: RANKS,
    heard: [page(1, { dpRank: 0, engine: "vllm", cacheUsageRatio: 0.5 })],
  }, { total: 1_024, slots: 8 }],
  ["slots of SGLang to 1.2.1 are of all ranks, its blocks of one", {
    card: RANKS,
    of: OLD,
    heard: [page(1, { dpRank: 0, engine: "sglang", running: 1 })],
  }, { total: 1_024, slots: 4 }],
  ["with several ranks and no page nothing is known to 1.2.1", {
    card: RANKS,
    of: OLD,
    heard: [blocks(1, 24, 1)],
  }, { total: undefined, slots: undefined, used: undefined }],
  ["vLLM's used blocks of several ranks to 1.2.1 are twice the truth: the usage gives them", {
    card: RANKS,
    of: OLD,
    heard: [
      page(1, { dpRank: 0, engine: "vllm", cacheUsageRatio: 0 }),
      page(1, { dpRank: 1, engine: "vllm", cacheUsageRatio: 12 / 255, totalBlocks: 512 }),
      blocks(2, 24, 1),
    ],
  }, { used: 12, total: 512 }],
  ["several ranks that say more than 0 know their own totals: mockers", {
    card: RANKS,
    of: OLD,
    heard: [blocks(1, 24, 0), blocks(1, 30, 1)],
  }, { used: 54 }],
  ["SGLang's tokens to 1.2.1 are blocks, rounded up", {
    card: TOKENS,
    of: OLD,
    heard: [page(1, { dpRank: 0, engine: "sglang", running: 1 }), blocks(2, 33)],
  }, { used: 3, total: 256 }],
  ["who said more than there are blocks counts tokens from then on", {
    card: TOKENS,
    of: OLD,
    heard: [blocks(1, 2_048), blocks(2, 160)],
  }, { used: 10, usage: 10 / 256 }],
  ["a release that writes no tokens is not believed", {
    card: TOKENS,
    heard: [blocks(1, 2_048)],
  }, { used: undefined, usage: undefined }],
  ["a page's total in tokens is blocks", {
    card: { ...TOKENS, totalBlocks: undefined } as never,
    of: OLD,
    heard: [page(1, { dpRank: 0, engine: "sglang", totalBlocks: 4_096 })],
  }, { total: 256 }],
]);

table("a heartbeat is not idleness", [
  ["while blocks are used", { heard: [pass(1, 4, 2), blocks(1, 56), beat(1_001)] }, {
    running: 4,
    waiting: 2,
  }],
  ["while requests are in flight", { heard: [pass(1, 4, 2), inFlight(2, 6), beat(1_001)] }, {
    running: 4,
    waiting: 2,
    inFlight: 6,
  }],
  ["but with neither it is", { heard: [pass(1, 4, 2), blocks(2, 0), inFlight(2, 0), beat(1_001)] }, {
    running: 0,
    waiting: 0,
  }],
  ["of a rank whose requests others have it is", {
    card: RANKS,
    heard: [pass(1, 4, 0, 0), pass(1_000, 4, 3, 1), inFlight(900, 7), beat(1_001, 0)],
  }, { running: 4, waiting: 3 }],
  ["and an older one says nothing", { heard: [beat(1), pass(2, 4, 2)] }, { running: 4, waiting: 2 }],
  ["nor does it lower what the page says", {
    heard: [page(1, { dpRank: 0, running: 3, waiting: 1 }), inFlight(1, 4), beat(1_001)],
  }, { running: 3, waiting: 1 }],
  ["and what nobody said stays unknown while something is in flight", {
    heard: [inFlight(1, 8), beat(1_001)],
  }, {
    running: undefined,
    waiting: undefined,
    inFlight: 8,
  }],
]);

table("a rank that a page no longer names is no longer known", [
  ["of the same page", {
    heard: [page(1, { dpRank: 0, running: 7, cacheUsageRatio: 0.5 }), inFlight(2_000, 0)],
  }, { running: undefined, usage: undefined, inFlight: 0 }],
  ["while another page's ranks stand", {
    card: RANKS,
    heard: [
      page(1, { dpRank: 0, running: 7 }, "x"),
      page(1, { dpRank: 1, running: 2 }, "y"),
      inFlight(2_000, 2, "y"),
    ],
  }, { running: 7 }],
  ["and a page of one moment has all its ranks", {
    card: RANKS,
    heard: [page(1, { dpRank: 0, running: 7 }), page(1, { dpRank: 1, running: 2 }), inFlight(1, 9)],
  }, { running: 9 }],
]);

table("the card says which ranks there are", [
  ["a rank beyond them changes no sum", {
    card: { ranks: 2, totalBlocks: 64 },
    heard: [blocks(1, 10, 0), blocks(1, 10, 1), blocks(1, 64, 7)],
  }, { used: 20, total: 128, slots: 8 }],
  ["with one rank all is of that rank", {
    card: { startRank: 3 },
    heard: [pass(1, 3, 0, 3), page(2, { dpRank: 0, running: 3 }), beat(1, 9)],
  }, { running: 3, total: 512 }],
  ["pages may count from 0", {
    card: { ranks: 2, startRank: 2, totalBlocks: 64 },
    heard: [
      blocks(1, 8, 2),
      blocks(1, 8, 3),
      page(2, { dpRank: 0, running: 3 }),
      page(2, { dpRank: 1, running: 4 }),
    ],
  }, { running: 7, total: 128, used: 16 }],
  ["an unnamed rank is none beside numbered ones", {
    card: { ranks: 4, totalBlocks: 64 },
    heard: [0, 1, 2, 3].map((rank) => blocks(1, 16, rank)).concat(page(2, { dpRank: "unnamed", running: 7 })),
  }, { used: 64, total: 256, slots: 16, running: undefined }],
]);

table("a heartbeat does not lower what is used", [
  ["by a usage without a total", {
    card: { totalBlocks: undefined } as never,
    heard: [page(1, { dpRank: 0, running: 4, cacheUsageRatio: 0.5 }), beat(1_001)],
  }, { running: 4 }],
  ["by a usage of less than a block", {
    heard: [page(1, { dpRank: 0, running: 1, cacheUsageRatio: 0.001 }), beat(1_001)],
  }, { running: 1 }],
  ["by an engine that speaks as a whole", {
    card: RANKS,
    heard: [
      page(1, { dpRank: "engine", running: 14, cacheUsageRatio: 0.42 }),
      beat(1_001, 0),
      beat(1_001, 1),
    ],
  }, { running: 14, usage: 0.42 }],
]);

table("ranks are one worker", [
  ["the mean usage, whatever the order", {
    card: { ranks: 3 },
    heard: [2, 0, 1].map((dpRank) => page(1, { dpRank, cacheUsageRatio: dpRank / 4, running: dpRank })),
  }, { usage: 0.25, running: 3, used: 384 }],
  ["what is of the whole engine is no rank's", {
    card: RANKS,
    heard: [
      page(1, { dpRank: "engine", running: 14, waiting: 3, cacheUsageRatio: 0.42 }),
      page(1, { dpRank: 0, totalBlocks: 512 }),
    ],
  }, { running: 14, waiting: 3, usage: 0.42, total: 1_024, used: 430 }],
  ["of two pages the greatest number is in flight", { heard: [inFlight(1, 5, "x"), inFlight(2, 3, "y")] }, {
    inFlight: 5,
  }],
  ["one rank that does not say its number is the only one", {
    heard: [blocks(1, 100), page(2, { dpRank: "unnamed", running: 3 })],
  }, { used: 100, running: 3 }],
]);

const COVERAGE: readonly [what: string, of: Case, wanted: object | undefined][] = [
  ["none with one rank", { heard: [blocks(1, 1)] }, undefined],
  ["all ranks", { card: RANKS, heard: [blocks(1, 1, 0), blocks(1, 1, 1)] }, { expected: 2, heard: 2 }],
  ["some ranks", { card: { ranks: 8 }, heard: [0, 1, 2].map((rank) => blocks(1, 1, rank)) }, {
    expected: 8,
    heard: 3,
  }],
  ["one that does not say its number", {
    card: { ranks: 4 },
    heard: [page(1, { dpRank: "unnamed", running: 7 })],
  }, {
    expected: 4,
    heard: 1,
  }],
  ["the fewest of any number", {
    card: RANKS,
    heard: [pass(1, 1, 0, 0), pass(1, 1, 0, 1), blocks(1, 9, 1)],
  }, { expected: 2, heard: 1 }],
  ["all, if the engine speaks as a whole", {
    card: RANKS,
    heard: [page(1, { dpRank: "engine", running: 3, waiting: 0 })],
  }, { expected: 2, heard: 2 }],
  ["nobody, if the page says nothing but what is in flight", {
    card: { ranks: 8 },
    heard: [inFlight(1, 3)],
  }, { expected: 8, heard: 0 }],
  ["all but the silent, if the engine speaks as a whole", {
    card: RANKS,
    heard: [beat(1, 0), beat(1, 1), beat(3_500, 0), page(3_500, { dpRank: "engine", running: 8 })],
  }, { expected: 2, heard: 1 }],
  ["nobody, before anything is said", { card: RANKS, heard: [], atMs: 1 }, { expected: 2, heard: 0 }],
];

for (const [what, of, wanted] of COVERAGE) {
  Deno.test(`a worker's numbers are over ${what}`, () => {
    const { coverage } = shown(of);
    assert.deepEqual(coverage && { expected: coverage.expected, heard: coverage.heard }, wanted);
  });
}

const SILENT: readonly [
  what: string,
  of: Case,
  silent: readonly (readonly [number, boolean | undefined])[],
][] = [
  ["whose heartbeats ended, while its neighbour's come", {
    card: RANKS,
    heard: [beat(1, 0), beat(1, 1), beat(3_500, 0)],
  }, [[0, false], [1, true]]],
  ["of a worker with one, while its page speaks", {
    heard: [pass(1, 4, 0), page(3_500, { dpRank: 0, running: 4 })],
  }, [[0, true]]],
  ["that sent no heartbeat is not", { card: RANKS, heard: [blocks(1, 5, 0), blocks(1, 5, 1)], atMs: 5_000 }, [
    [0, undefined],
    [1, undefined],
  ]],
  ["whose passes come is not", { card: RANKS, heard: [beat(1, 0), pass(1, 1, 0, 1)], atMs: 2_000 }, [
    [0, false],
    [1, false],
  ]],
];

for (const [what, of, silent] of SILENT) {
  Deno.test(`silent is a rank ${what}`, () => {
    const { ranks, state } = shown(of);
    assert.equal(state, "responding");
    assert.deepEqual(ranks.map(({ dpRank, isSilent }) => [dpRank, isSilent]), silent);
  });
}

Deno.test("what a silent rank said no longer counts, nor what the page says of it", () => {
  const { numbers, coverage, ranks } = shown({
    card: RANKS,
    heard: [
      pass(1, 4, 2, 0),
      pass(1, 3, 1, 1),
      blocks(1, 50, 1),
      pass(3_500, 4, 2, 0),
      page(3_500, { dpRank: 1, running: 3, cacheUsageRatio: 0.5 }),
    ],
  });
  assert.deepEqual([numbers.activeSlots, numbers.requestsWaiting, numbers.activeBlocks], [4, 2, undefined]);
  assert.equal(coverage?.heard, 1);
  assert.equal(ranks[1]!.running, undefined);
});

Deno.test("a rank is not silent whose connection was lost: nothing could be heard", () => {
  const heard = [beat(1, 0), beat(1, 1)];
  const fleet = [observations(...heard), lost("passes")].reduce(
    (fleet, input) => apply(fleet, input, { now: at(0), limits }).fleet,
    emptyFleet(target),
  );
  assert.deepEqual(
    snapshotTarget(fleet, { now: at(5_000), limits }).workers.flatMap(({ ranks }) => ranks),
    [],
  );
});

/** What is said of requests in flight, some time later. */
const STUCK: readonly [what: string, of: Case, stuckSince: number | undefined, isPending: boolean][] = [
  [
    "since its last pass",
    { heard: [pass(1, 4, 0), inFlight(500, 8), pass(2_000, 4, 0), beat(13_000)] },
    2_000,
    false,
  ],
  [
    "since its requests came",
    { heard: [pass(1, 4, 0), beat(2_000), inFlight(3_000, 8), beat(14_000)] },
    3_000,
    false,
  ],
  ["not before --stuck-after", { heard: [pass(1, 4, 0), inFlight(500, 8), beat(9_999)] }, undefined, false],
  [
    "not if nothing is in flight",
    { heard: [pass(1, 4, 0), inFlight(500, 0), beat(60_000)] },
    undefined,
    false,
  ],
  [
    "not if the passes of one rank cannot be heard",
    {
      card: RANKS,
      heard: [pass(1, 4, 0, 1), inFlight(2, 8), beat(15_000, 1)],
    },
    undefined,
    false,
  ],
  [
    "not while its page says that tokens are generated",
    {
      heard: [
        page(1, { dpRank: 0, generatedTokens: 10 }),
        beat(1),
        inFlight(2, 8, "other"),
        page(14_000, { dpRank: 0, generatedTokens: 90 }),
        beat(15_000),
      ],
    },
    undefined,
    false,
  ],
  ["not if its passes cannot be heard", { heard: [inFlight(1, 8), inFlight(60_000, 8)] }, undefined, false],
  [
    "not if requests ended meanwhile",
    {
      heard: [pass(1, 4, 0), inFlight(2, 8), inFlight(8_000, 0), inFlight(9_000, 8), beat(15_000)],
    },
    undefined,
    false,
  ],
  [
    "since it is heard, if it worked before that",
    {
      heard: [page(1, { dpRank: 0, generatedTokens: 90 }), inFlight(1, 8), beat(5_000), beat(16_000)],
    },
    5_000,
    false,
  ],
  [
    "not before its first pass, which is said",
    {
      heard: [page(1, { dpRank: 0, generatedTokens: 0 }), inFlight(1, 8), beat(60_000)],
    },
    undefined,
    true,
  ],
  [
    "not where it is not known whether it worked",
    { heard: [inFlight(1, 8), beat(1), beat(60_000)] },
    undefined,
    false,
  ],
  [
    "and its first pass is not pending while the engine runs something",
    {
      heard: [page(1, { dpRank: 0, generatedTokens: 0, running: 3 }), inFlight(1, 8)],
    },
    undefined,
    false,
  ],
];

for (const [what, of, stuckSince, isPending] of STUCK) {
  Deno.test(`a worker is stuck ${what}`, () => {
    const worker = shown({ ...of, heard: withPageKept(of.heard) });
    assert.deepEqual([worker.stuckSince?.monotonicMs, worker.isFirstPassPending], [stuckSince, isPending]);
    assert.equal(worker.stuckSeconds === undefined, stuckSince === undefined);
  });
}

Deno.test("a worker is not stuck since before its page, or the passes of a rank, were lost", () => {
  const stuckSince = (via: string, heard: readonly Observation[], later: readonly Observation[]) => {
    const inputs: FleetInput[] = [
      ...heard.map((one) => observations(one)),
      lost(via),
      ...later.map((one) => observations(one)),
    ];
    const fleet = inputs.reduce(
      (fleet, input) => apply(fleet, input, { now: at(0), limits }).fleet,
      emptyFleet(target),
    );
    const nowMs = later.at(-1)!.at.monotonicMs;
    return snapshotTarget(fleet, { now: at(nowMs), limits }).workers[0]!.stuckSince;
  };
  const worked = [pass(1, 4, 0), inFlight(2, 8)];
  assert.equal(stuckSince("page", worked, [inFlight(60_000, 1), beat(61_000)]), undefined);
  assert.equal(stuckSince("passes", worked, [beat(60_000), inFlight(61_000, 8)]), undefined);
  assert.equal(stuckSince("x", worked, [inFlight(60_000, 8), beat(61_000)])?.monotonicMs, 2);
});

Deno.test("a worker is stuck from the very moment at which the Snapshot says that it changes", () => {
  const odd = { ...limits, stuckAfterMs: 1_001 }; // 1_001 / 1_000 * 1_000 is less than 1_001.
  const fleet = [pass(1, 4, 0), inFlight(2, 8)].reduce(
    (fleet, one) => apply(fleet, observations(one), { now: at(0), limits: odd }).fleet,
    emptyFleet(target),
  );
  const { changesAtMs } = snapshotTarget(fleet, { now: at(3), limits: odd });
  assert.equal(changesAtMs, 1_003);
  const [worker] = snapshotTarget(fleet, { now: at(changesAtMs), limits: odd }).workers;
  assert.deepEqual([worker!.stuckSince?.monotonicMs, worker!.stuckSeconds], [2, 1.001]);
});

Deno.test("of two pages of a worker each has counters of its own", () => {
  const counted = (ms: number, via: string, dpRank: number, prefixHits: number) =>
    page(ms, { dpRank, prefixHits, prefixQueries: 10 * prefixHits }, via);
  const { numbers } = shown({
    card: RANKS,
    heard: [counted(1, "x", 0, 100), counted(2, "y", 1, 10), counted(3, "x", 0, 100), counted(4, "y", 1, 10)],
  });
  assert.equal(numbers.prefixHitRatio, 0.1);
});

/** The page is read until the end, as pages are: else the worker would be silent. */
function withPageKept(heard: readonly Observation[]): readonly Observation[] {
  const ends = Math.max(...heard.map(({ at }) => at.monotonicMs));
  return [...heard, page(ends, { dpRank: "engine", prefixHitRatio: 0 }, "other page")];
}
