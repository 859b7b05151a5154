import assert from "node:assert/strict";
import { type EngineEvent, engineFolders } from "./helpers/engine_capture.ts";
import { eventually, steadily } from "./helpers/eventually.ts";
import { PlayedEngine } from "./helpers/played_engine.ts";
import { assertOneMoment, assertShown, type Shown } from "./helpers/shown_worker.ts";

const PASSES = "forward-pass-metrics";
const isHeartbeat = ({ isHeartbeat }: EngineEvent) => isHeartbeat;
const isIn = (phase: EngineEvent["phase"]) => (event: EngineEvent) => event.phase === phase;
/** More than a capture has of one channel and phase: so many were heard if the last was said again. */
const MESSAGES = 10;
/** Of an engine with 256 blocks a rank: its usage is of 255, since one block is a dummy. */
const usageOf = (used: number) => used / 255;

type Hits = readonly [hits: number, queries: number];

/** The hit rate of a worker, and of its ranks if there are several. */
function hitRates(ranks: readonly Hits[]): Shown {
  const [hits, queries] = ranks.reduce(([hits, queries], rank) => [hits + rank[0], queries + rank[1]]);
  return {
    hits: hits / queries,
    ...(ranks.length > 1 && { rankHits: ranks.map(([hits, queries]) => hits / queries) }),
  };
}

const IDLE = { running: 0, waiting: 0, used: 0, usage: 0, inFlight: 0 };
const ONE_RANK = { total: 256, slots: 4, ranksExpected: undefined, ranksHeard: undefined };
const TWO_RANKS = { total: 512, slots: 8, ranksExpected: 2, ranksHeard: 2 };

/** What real engines said, and what is right: the engine's own numbers at that moment. */
const CAPTURES: readonly {
  readonly folder: string;
  /** Of the page of a worker that never had a request. */
  readonly before: Shown;
  /** Of the page under load. */
  readonly load: Shown;
  /** Of the last events under load, while they are newer than the page. */
  readonly events: Shown;
  /** Tokens that were found in the cache, and that were asked for, by rank: under load, and after it. */
  readonly hits: Readonly<Record<"load" | "after", readonly Hits[]>>;
}[] = [
  {
    folder: "0.9.1-vllm-0.14.1-dp2",
    before: { ...TWO_RANKS, ...IDLE, hits: undefined, rankUsage: [0, 0], rankHits: [undefined, undefined] },
    load: {
      ...TWO_RANKS,
      running: 4,
      waiting: 2,
      used: 43,
      usage: usageOf(43) / 2,
      inFlight: 6,
      rankUsage: [0, usageOf(43)],
      rankRunning: [0, 4],
      rankWaiting: [0, 2],
    },
    // Its own blocks come from rank 0 alone, and are twice the truth.
    events: { ...TWO_RANKS, running: 4, waiting: 2 },
    hits: { load: [[8_896, 14_024], [7_904, 12_224]], after: [[14_944, 23_726], [19_328, 30_621]] },
  },
  {
    folder: "1.2.1-vllm-0.20.1",
    before: { ...ONE_RANK, ...IDLE, hits: undefined },
    load: {
      ...ONE_RANK,
      running: 4,
      waiting: 2,
      used: 29,
      usage: usageOf(29),
      inFlight: 8,
    },
    events: { ...ONE_RANK, running: 4, waiting: 4, used: 32 },
    hits: { load: [[12_768, 20_889]], after: [[34_720, 56_170]] },
  },
  {
    folder: "1.6.1-vllm-0.31.0",
    before: { ...ONE_RANK, ...IDLE, hits: undefined },
    load: {
      ...ONE_RANK,
      running: 4,
      waiting: 4,
      used: 32,
      usage: usageOf(32),
      inFlight: 8,
    },
    events: { ...ONE_RANK, running: 4, waiting: 0, used: 30 },
    hits: { load: [[18_240, 28_089]], after: [[33_696, 52_948]] },
  },
  {
    folder: "1.6.1-vllm-0.31.0-dp2",
    before: { ...TWO_RANKS, ...IDLE, hits: undefined, rankUsage: [0, 0], rankHits: [undefined, undefined] },
    load: {
      ...TWO_RANKS,
      running: 4,
      waiting: 3,
      used: 30,
      usage: usageOf(30) / 2,
      inFlight: 12,
      rankUsage: [0, usageOf(30)],
      rankUsed: [0, 30],
      rankRunning: [0, 4],
      rankWaiting: [0, 3],
    },
    events: {
      ...TWO_RANKS,
      running: 8,
      waiting: 4,
      used: 53,
      rankUsed: [21, 32],
      rankRunning: [4, 4],
      rankWaiting: [1, 3],
    },
    hits: { load: [[2_912, 5_044], [3_808, 6_454]], after: [[13_216, 21_641], [13_888, 22_639]] },
  },
];

for (const { folder, before, load, events, hits } of CAPTURES) {
  const { total, slots, ranksExpected, ranksHeard } = before;
  const after = { total, slots, ranksExpected, ranksHeard, ...IDLE };
  const page = (name: string) => `${folder}/worker1.metrics.${name}`;
  const hasHeartbeats = !folder.startsWith("0.9.1");
  const start = (name: string) => PlayedEngine.start(folder, { page: page(name) });

  Deno.test(`before its first request the engine ${folder} shows its card's totals, by its page alone and with heartbeats`, async () => {
    await using engine = await start("before-first-request");
    await engine.keepsShowing(before);
    await engine.say(isIn("idle"));
    if (hasHeartbeats) await engine.hears(PASSES);
    await engine.keepsShowing(before);
  });

  Deno.test(`under load the engine ${folder} shows what its page says, what its events say, and its page again`, async () => {
    await using engine = await start("before-first-request");
    await engine.shows({ inFlight: 0 });
    await engine.say(isIn("idle"));
    engine.turnTo(page("under-load"));
    await engine.keepsShowing({ ...load, ...hitRates(hits.load) }); // Heartbeats lower nothing.
    await engine.say(isIn("load"));
    await engine.hears("kv_metrics", MESSAGES);
    await eventually(async () => {
      const shown = await engine.shown();
      assertShown(shown, events);
      assertOneMoment(shown);
    });
    await steadily(async () => assertOneMoment(await engine.shown()), { forMs: 1_300 });
    await engine.say(isHeartbeat); // The page is the newest again.
    await engine.keepsShowing({ ...load, ...hitRates(hits.load) });
  });

  Deno.test(`after its load the engine ${folder} is idle, and shows the hit rate since its page was first read`, async () => {
    await using engine = await start("under-load");
    await engine.say(isIn("load"));
    await engine.hears("kv_metrics", MESSAGES);
    await engine.shows(hitRates(hits.load));
    engine.turnTo(page("after"));
    await engine.say(isIn("after"));
    await engine.hears("kv_metrics", MESSAGES);
    await engine.say(isHeartbeat);
    const since = hits.after.map(([hit, asked], rank): Hits => {
      const [hitBefore, askedBefore] = hits.load[rank]!;
      return [hit - hitBefore, asked - askedBefore];
    });
    await engine.keepsShowing({ ...after, ...hitRates(since) });
  });

  Deno.test(`the hit rate of the engine ${folder} is that since its start after a first reading`, async () => {
    await using engine = await start("after");
    await engine.keepsShowing({ ...after, ...hitRates(hits.after) });
  });
}

/** Engines of which no forward pass can be heard, or that no Dynamo runs. */
const OTHERS: readonly {
  readonly what: string;
  readonly folder: string;
  readonly pages: readonly (readonly [name: string, right: Shown])[];
  readonly withoutCard?: true;
}[] = [
  {
    what: "an engine as Dynamo starts it",
    folder: "1.6.1-vllm-0.31.0-defaults",
    pages: [["1.6.1-vllm-0.31.0-defaults/worker1.metrics.under-load", {
      ...ONE_RANK,
      running: 4,
      waiting: 4,
      used: 35,
      usage: usageOf(35),
      hits: 18_144 / 29_562,
      inFlight: 8,
    }]],
  },
  {
    what: "an engine whose cache is nearly full",
    folder: "1.6.1-vllm-0.31.0",
    pages: [["1.6.1-vllm-0.31.0-full/worker1.metrics.under-load", {
      ...ONE_RANK,
      running: 2,
      waiting: 2,
      used: 191,
      usage: usageOf(191),
      hits: 68_192 / 108_418,
      inFlight: 4,
    }]],
  },
  {
    what: "vllm serve without Dynamo",
    folder: "1.6.1-vllm-0.31.0-defaults",
    withoutCard: true,
    pages: [
      ["plain-vllm-0.31.0-2-api-servers/engine.metrics.idle", {
        running: undefined,
        waiting: undefined,
        usage: undefined,
        hits: undefined,
        inFlight: undefined,
      }],
      ["plain-vllm-0.31.0-2-api-servers/engine.metrics.under-load", {
        running: 4,
        waiting: 4,
        usage: usageOf(31),
        hits: 6_944 / 11_517,
        inFlight: undefined,
      }],
      ["plain-vllm-0.31.0-2-api-servers/engine.metrics.after", {
        running: 0,
        waiting: 0,
        usage: 0,
        hits: 22_400 / 36_400,
        inFlight: undefined,
      }],
    ],
  },
];

for (const { what, folder, pages, withoutCard } of OTHERS) {
  Deno.test(`the page of ${what} shows its numbers`, async () => {
    await using engine = await PlayedEngine.start(folder, {
      page: pages[0]![0],
      ...(withoutCard && { hasKey: ({ key }) => key.startsWith("v1/instances/dynamo/backend/generate/") }),
    });
    for (const [name, right] of pages) {
      engine.turnTo(name);
      await engine.keepsShowing(right);
    }
  });
}

Deno.test("used blocks and usage are of one moment while an event and an older page differ", async () => {
  await using engine = await PlayedEngine.start("1.6.1-vllm-0.31.0", {
    page: "1.6.1-vllm-0.31.0-full/worker1.metrics.under-load",
  });
  await engine.shows({ usage: usageOf(191), used: 191 });
  await engine.say(({ phase, topic }) => phase === "load" && topic === "kv_metrics");
  await eventually(async () => {
    const shown = await engine.shown();
    assertShown(shown, { used: 30, total: 256 });
    assertOneMoment(shown);
  });
  await steadily(async () => assertOneMoment(await engine.shown()), { forMs: 2_500 });
  await engine.say(() => false);
  await engine.keepsShowing({ usage: usageOf(191), used: 191 });
});

Deno.test("every captured engine is played", () => {
  const pages = OTHERS.flatMap(({ pages }) => pages.map(([name]) => name.split("/")[0]!));
  const folders = [...CAPTURES, ...OTHERS].map(({ folder }) => folder);
  const stuck = "1.6.1-vllm-0.31.0-stopped-worker"; // In stuck_engines_test.ts.
  assert.deepEqual(engineFolders(), [...new Set([...pages, ...folders, stuck])].toSorted());
});
