import { ANY_RELEASE } from "../../lib/dynamo/release.ts";
import { rankOf, UNTROUBLED } from "./plain_worker.ts";
import { workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import { natsConnection, storeConnection } from "./connections.ts";
import type { CountedFamily } from "../../lib/exposition/samples.ts";
import type { NamespaceSnapshot, Snapshot } from "../../lib/fleet/snapshot.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";

const at = { monotonicMs: 1, epochMs: 1_795_518_811_469 };

/** What a worker that only answers has of the other ways to be seen. */
const unheard = {
  ...UNTROUBLED,
  ranks: [],
  estimates: [],
  channels: new Set(["stats"] as const),
  card: undefined,
};

const allNumbers = {
  activeSlots: 3,
  totalSlots: 8,
  activeBlocks: 40,
  totalBlocks: 2 ** 63,
  requestsWaiting: 2,
  requestsInFlight: 7,
  cacheUsageRatio: Math.fround(0.1),
  prefixHitRatio: Math.fround(1e-9),
  specDecode: { specTokens: 2, drafts: 10, draftTokens: 20, acceptedTokens: 15 },
};
const leastNumbers = { activeSlots: 0, totalSlots: 8, activeBlocks: 0, totalBlocks: 100 };

/** A worker that says all there is to say. */
export const responding: WorkerSnapshot = {
  blocksAt: at,
  id: workerIdFromHex("a1")!,
  state: "responding",
  hasFallenSilent: false,
  registered: true,
  lastAnswerAt: at,
  load: { shape: "nested", ...allNumbers, dpRank: 1 },
  numbers: allNumbers,
  ranks: [
    rankOf(0, { usedBlocks: 33, running: 2, waiting: 0, cacheUsageRatio: 0.5, isSilent: false }),
    rankOf(1, { usedBlocks: 7, waiting: 2, prefixHitRatio: 0.25, isSilent: true }),
  ],
  coverage: { expected: 3, heard: 2, blocks: 2, running: 2 },
  stuckSince: { ...at, epochMs: at.epochMs - 12_500 },
  stuckSeconds: 12.5,
  isFirstPassPending: false,
  pageProblem: "http://h:1/metrics: connection refused",
  changesAtMs: Infinity,
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
  blocksAt: at,
  release: undefined,
  id: workerIdFromHex("ffffffffffffffff")!,
  state: "responding",
  hasFallenSilent: false,
  registered: false,
  lastAnswerAt: { ...at, epochMs: at.epochMs - 500 },
  load: { shape: "flat4", ...leastNumbers },
  numbers: leastNumbers,
  ...unheard,
  service: { name: "dynamo_c", version: undefined },
  endpoints: [{ endpoint: "generate", requests: undefined, errors: 3, processingSeconds: undefined }],
};

const silent: WorkerSnapshot = {
  blocksAt: undefined,
  release: undefined,
  id: workerIdFromHex("b2")!,
  state: "silent",
  hasFallenSilent: true,
  registered: undefined,
  lastAnswerAt: { ...at, epochMs: at.epochMs - 9_000 },
  load: undefined,
  numbers: {},
  ...unheard,
  service: undefined,
  endpoints: [],
};

const namespace: NamespaceSnapshot = {
  namespace: "dynamo",
  hitRates: [{ worker: workerIdFromHex("1")!, islBlocks: 21, overlapBlocks: 44 }],
  hitRateTotals: { islBlocks: 121, overlapBlocks: 54 },
};

/** Names that want escaping, an id above 2^63, one worker that says all and one that says least, and a silent one. */
export const snapshot: Snapshot = {
  seq: 7,
  at,
  connections: [
    natsConnection({ reconnects: 2, since: at }),
    storeConnection({ connected: false, reason: 'the "reason"', since: at }),
  ],
  namespaces: [namespace],
  targets: [{
    target: { namespace: "dynamo", component: "my_component", endpoint: 'my"endpoint\\\n' },
    namespace,
    up: true,
    needsNats: true,
    lastRound: {
      request: 3,
      failed: false,
      sentAt: at,
      endedAt: at,
      expected: 3,
      answered: 2,
      decoded: 2,
      answeredTwice: 0,
    },
    lastGoodRoundAt: at,
    lastCompleteRoundAt: undefined,
    membershipFromEtcd: false,
    workers: [responding, silent, bare],
    workersByState: { discovered: 0, responding: 2, no_data: 0, undecodable: 0, silent: 1 },
    load: { workers: 2, blocks: 40, blocksSquared: 1_600, avg: 20, std: 20 },
    registeredInstead: [],
    loadFrom: { oldest: { ...at, epochMs: at.epochMs - 500 }, newest: at },
    changesAtMs: Infinity,
    changes: { log: [], losses: [], since: undefined },
  }],
};

/** What a program counts of itself, a histogram with it. */
export const counted: readonly CountedFamily[] = [
  { name: "dynamo_metrics_rounds_total", values: [{ labels: { dynamo_namespace: "dynamo" }, value: 3 }] },
  {
    name: "dynamo_metrics_round_duration_seconds",
    values: [
      { metricName: "dynamo_metrics_round_duration_seconds_bucket", labels: { le: 0.001 }, value: 1 },
      { metricName: "dynamo_metrics_round_duration_seconds_bucket", labels: { le: 1 }, value: 2 },
      { metricName: "dynamo_metrics_round_duration_seconds_bucket", labels: { le: "+Inf" }, value: 3 },
      { metricName: "dynamo_metrics_round_duration_seconds_sum", labels: {}, value: 1e-7 },
      { metricName: "dynamo_metrics_round_duration_seconds_count", labels: {}, value: 3 },
    ],
  },
];
