import assert from "node:assert/strict";
import { ANY_RELEASE } from "../../lib/dynamo/release.ts";
import { workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import { FAMILIES } from "../../lib/exposition/families.ts";
import { Page } from "../../lib/exposition/page.ts";
import { type CountedFamily, renderText } from "../../lib/exposition/text.ts";
import type { Snapshot, WorkerSnapshot } from "../../lib/fleet/snapshot.ts";
import { assertGolden } from "../helpers/golden.ts";
import { promtool } from "../../tools/servers/prometheus.ts";

const at = { monotonicMs: 1, epochMs: 1_795_518_811_469 };

/** What a worker that only answers has of the other ways to be seen. */
const unheard = { ranks: [], estimates: [], channels: new Set(["stats"] as const), card: undefined };

const allNumbers = {
  activeSlots: 3,
  totalSlots: 8,
  activeBlocks: 40,
  totalBlocks: 2 ** 63,
  requestsWaiting: 2,
  cacheUsageRatio: Math.fround(0.1),
  prefixHitRatio: Math.fround(1e-9),
  specDecode: { specTokens: 2, drafts: 10, draftTokens: 20, acceptedTokens: 15 },
};
const leastNumbers = { activeSlots: 0, totalSlots: 8, activeBlocks: 0, totalBlocks: 100 };

const responding: WorkerSnapshot = {
  id: workerIdFromHex("a1")!,
  state: "responding",
  registered: true,
  lastAnswerAt: at,
  load: { shape: "nested", ...allNumbers, dpRank: 1 },
  numbers: allNumbers,
  ranks: [
    { dpRank: 0, usedBlocks: 33, running: 2, waiting: 0 },
    { dpRank: 1, usedBlocks: 7, running: undefined, waiting: 2 },
  ],
  estimates: [{ router: "9", dpRank: 1, activeDecodeBlocks: 8, activePrefillTokens: undefined }],
  channels: new Set(["stats", "event_zmq", "card"]),
  card: {
    worker: workerIdFromHex("a1")!,
    ranks: 2,
    releases: ANY_RELEASE,
    model: 'a"model',
    workerType: "decode",
  },
  release: "0.3.2-0.6.0",
  service: { name: "dynamo_c", version: "0.0.1" },
  endpoints: [
    { endpoint: 'my"endpoint\\\n', requests: 0, errors: 0, processingSeconds: 0 },
    { endpoint: "generate", requests: 12, errors: 1, processingSeconds: 0.25 },
  ],
};

const bare: WorkerSnapshot = {
  release: undefined,
  id: workerIdFromHex("ffffffffffffffff")!,
  state: "responding",
  registered: false,
  lastAnswerAt: { ...at, epochMs: at.epochMs - 500 },
  load: { shape: "flat4", ...leastNumbers },
  numbers: leastNumbers,
  ...unheard,
  service: { name: "dynamo_c", version: undefined },
  endpoints: [{ endpoint: "generate", requests: undefined, errors: 3, processingSeconds: undefined }],
};

const silent: WorkerSnapshot = {
  release: undefined,
  id: workerIdFromHex("b2")!,
  state: "silent",
  registered: undefined,
  lastAnswerAt: { ...at, epochMs: at.epochMs - 9_000 },
  load: undefined,
  numbers: {},
  ...unheard,
  service: undefined,
  endpoints: [],
};

/** Names that want escaping, an id above 2^63, one worker that says all and one that says least, and a silent one. */
const snapshot: Snapshot = {
  seq: 7,
  at,
  nats: { connected: true, reconnects: 2 },
  store: { kind: "etcd", connected: false },
  targets: [{
    target: { namespace: "dynamo", component: "my_component", endpoint: 'my"endpoint\\\n' },
    up: true,
    needsNats: true,
    lastRound: { request: 3, failed: false, sentAt: at, endedAt: at, expected: 3, answered: 2, decoded: 2 },
    lastGoodRoundAt: at,
    lastCompleteRoundAt: undefined,
    membershipFromEtcd: false,
    workers: [responding, silent, bare],
    workersByState: { discovered: 0, responding: 2, no_data: 0, undecodable: 0, silent: 1 },
    load: { workers: 2, blocks: 40, blocksSquared: 1_600, avg: 20, std: 20 },
    loadFrom: { oldest: { ...at, epochMs: at.epochMs - 500 }, newest: at },
    hitRates: [{ worker: workerIdFromHex("1")!, islBlocks: 21, overlapBlocks: 44 }],
    hitRateTotals: { islBlocks: 121, overlapBlocks: 54 },
  }],
};

const counted: readonly CountedFamily[] = [
  { name: "dynamo_metrics_rounds_total", values: [{ labels: { dynamo_namespace: "dynamo" }, value: 3 }] },
  {
    name: "dynamo_metrics_round_duration_seconds",
    values: [
      { metricName: "dynamo_metrics_round_duration_seconds_bucket", labels: { le: 0.001 }, value: 1 },
      { metricName: "dynamo_metrics_round_duration_seconds_bucket", labels: { le: "+Inf" }, value: 3 },
      { metricName: "dynamo_metrics_round_duration_seconds_sum", labels: {}, value: 1e-7 },
      { metricName: "dynamo_metrics_round_duration_seconds_count", labels: {}, value: 3 },
    ],
  },
];

Deno.test("a whole page, names escaped, ids unsigned, numbers without exponent, what is unknown absent", async () => {
  await assertGolden("page.txt", renderText(snapshot, counted));
});

Deno.test("a page without workers has no load series and no NaN", () => {
  const [target] = snapshot.targets;
  const empty = {
    ...snapshot,
    targets: [{ ...target!, workers: [], load: undefined, loadFrom: undefined, hitRates: [] }],
  };
  const page = renderText(empty, []);
  assert.doesNotMatch(page, /^llm_|NaN/m);
  assert.match(page, /^dynamo_metrics_up\{.*\} 1$/m);
});

Deno.test("promtool takes the page but for the three names that are kept from the original", async () => {
  const { stdout, stderr } = await promtool(["check", "metrics"], { stdin: renderText(snapshot, counted) });
  const complaints = `${stdout}${stderr}`.trim().split("\n").map((line) => line.split(" ")[0]).toSorted();
  assert.deepEqual(complaints, [
    "llm_kv_blocks_total",
    "llm_kv_hit_rate_isl_blocks",
    "llm_kv_hit_rate_overlap_blocks",
  ]);
});

Deno.test("family names are unique, sorted, and counters of ours end in _total", () => {
  const names = FAMILIES.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)].toSorted());
  for (const { name, type } of FAMILIES) {
    if (!name.startsWith("llm_")) assert.equal(name.endsWith("_total"), type === "counter", name);
  }
});

Deno.test("an endpoint that a worker names twice is on the page once, with the later numbers", () => {
  const [target] = snapshot.targets;
  const counters = (endpoint: string, requests: number) => ({
    endpoint,
    requests,
    errors: undefined,
    processingSeconds: undefined,
  });
  const endpoints = [
    counters("generate", 1),
    counters("clear", 2),
    counters("generate", 3),
    counters("\ud800", 4), // Halves of a character: as bytes both are the same.
    counters("\ud801", 5),
  ];
  const page = renderText(
    { ...snapshot, targets: [{ ...target!, workers: [{ ...responding, endpoints }] }] },
    [],
  );
  const lines = page.match(/^dynamo_metrics_endpoint_requests_total\{.*/gm)!;
  const shown = lines.map((line) => /dynamo_endpoint="(.*)",worker_id="161"\} (\d)/.exec(line)!.slice(1));
  assert.deepEqual(shown.map(([name, value]) => [name!.toWellFormed(), value]), [
    ["generate", "3"],
    ["clear", "2"],
    ["\ufffd", "5"],
  ]);
});

Deno.test("a page is made once for a Snapshot, however many ask, and anew for the next", async () => {
  let current = snapshot;
  let made = 0;
  const page = new Page({
    snapshot: () => current,
    counted: () => {
      made++;
      return Promise.resolve([]);
    },
  });
  const pages = await Promise.all([page.text(), page.text(), page.text()]);
  assert.equal(made, 1);
  assert.ok(pages.every((page) => page === pages[0]));
  assert.equal(pages[0]!.seq, snapshot.seq);
  current = { ...snapshot, seq: 8 };
  assert.equal((await page.text()).seq, 8);
  assert.equal(made, 2);
});
