import assert from "node:assert/strict";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { FINDING_CODES, FINDING_KINDS, type FindingCode } from "../../lib/findings/codes.ts";
import { degradedReasons, findingsOf } from "../../lib/findings/findings.ts";
import type { Snapshot, TargetSnapshot } from "../../lib/fleet/snapshot.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import { AWAY, natsConnection, storeConnection } from "../helpers/connections.ts";
import { at } from "../helpers/fleet_steps.ts";
import { rankOf, UNTROUBLED } from "../helpers/plain_worker.ts";
import { responding, snapshot as shown } from "../helpers/shown_fleet.ts";

const plain: WorkerSnapshot = {
  ...responding,
  ...UNTROUBLED,
  ranks: [rankOf(0, { usedBlocks: 1 })],
};

type WorkerPart = Partial<{ -readonly [Name in keyof WorkerSnapshot]: WorkerSnapshot[Name] }>;

function workers(...parts: readonly WorkerPart[]): Partial<TargetSnapshot> {
  const workers = parts.map((part, n): WorkerSnapshot => ({
    ...plain,
    id: String(n + 1) as WorkerId,
    ...part,
  }));
  const workersByState = { discovered: 0, responding: 0, no_data: 0, undecodable: 0, silent: 0 };
  for (const { state } of workers) workersByState[state]++;
  return { workers, workersByState };
}

/** All is well, but for what is given. */
function snapshotOf(of: Partial<Snapshot>, target: Partial<TargetSnapshot> = workers({})): Snapshot {
  return {
    ...shown,
    connections: [natsConnection(), storeConnection()],
    targets: [{ ...shown.targets[0]!, target: TARGET, membershipFromEtcd: true, ...target }],
    ...of,
  };
}

const TARGET = { namespace: "n", component: "c", endpoint: "e" };
const ROUND = shown.targets[0]!.lastRound!;
const NATS_AWAY = { connections: [natsConnection(AWAY)] };
const ETCD_AWAY = { connections: [natsConnection(), storeConnection(AWAY)] };
const FILE_STORE = { kind: "file", name: "file store", away: "the file store cannot be read" };
const PUBLISHER_AWAY = { role: "publisher", name: "h:1 kv_metrics", kind: "zmq", ...AWAY } as const;

const CASES: readonly {
  readonly what: string;
  readonly snapshot: Snapshot;
  /** Codes and texts, in order. */
  readonly found: readonly (readonly [FindingCode, string])[];
  readonly reasons?: readonly string[];
}[] = [
  { what: "all is well", snapshot: snapshotOf({}), found: [] },
  {
    what: "NATS is away, and needed",
    snapshot: snapshotOf(NATS_AWAY),
    found: [["nats_disconnected", "NATS is not connected"]],
    reasons: ["NATS is not connected"],
  },
  {
    what: "NATS is away, and nobody needs it",
    snapshot: snapshotOf(NATS_AWAY, { ...workers({}), needsNats: false }),
    found: [["nats_not_needed", "NATS is not connected"]],
  },
  {
    what: "NATS is left out, and needed",
    snapshot: snapshotOf({ connections: [] }),
    found: [["nats_left_out", "workers need NATS, which is left out"]],
    reasons: ["workers need NATS, which is left out"],
  },
  {
    what: "etcd is away",
    snapshot: snapshotOf(ETCD_AWAY),
    found: [["store_disconnected", "etcd is not connected"]],
    reasons: ["etcd is not connected"],
  },
  {
    what: "the file store is away",
    snapshot: snapshotOf({ connections: [natsConnection(), storeConnection({ ...FILE_STORE, ...AWAY })] }),
    found: [["store_disconnected", "the file store cannot be read"]],
    reasons: ["the file store cannot be read"],
  },
  {
    what: "the last round failed",
    snapshot: snapshotOf({}, { ...workers({}), up: false }),
    found: [["round_failed", "the last round failed"]],
    reasons: ["the last round failed"],
  },
  {
    what: "NATS refuses a subject",
    snapshot: snapshotOf({ connections: [natsConnection({ refused: ["publish $SRV.STATS.x"] })] }),
    found: [["right_missing", "NATS refuses us: publish $SRV.STATS.x"]],
    reasons: ["NATS refuses us: publish $SRV.STATS.x"],
  },
  {
    what: "publishers and pages need more files than may be open",
    snapshot: snapshotOf({ files: { limit: 1_024, publishers: 1_000, pages: 500 } }),
    found: [[
      "file_limit_low",
      "1024 files may be open, and 1700 are needed: for 1000 publishers and 500 pages",
    ]],
    reasons: ["1024 files may be open, and 1700 are needed: for 1000 publishers and 500 pages"],
  },
  {
    what: "there are as many files as are needed",
    snapshot: snapshotOf({ files: { limit: 1_700, publishers: 1_000, pages: 500 } }),
    found: [],
  },
  {
    what: "a publisher cannot be reached",
    snapshot: snapshotOf({ at: at(3_005), connections: [natsConnection(), PUBLISHER_AWAY] }),
    found: [["publisher_unreachable", "the publisher at h:1 kv_metrics cannot be reached"]],
  },
  {
    what: "a publisher was lost a moment ago",
    snapshot: snapshotOf({ at: at(3_004), connections: [natsConnection(), PUBLISHER_AWAY] }),
    found: [],
  },
  {
    what: "nobody is registered",
    snapshot: snapshotOf({}, workers()),
    found: [["nobody_registered", "no worker is registered at n/c/e"]],
  },
  {
    what: "nobody answers, without a store",
    snapshot: snapshotOf({ connections: [natsConnection()] }, { ...workers(), membershipFromEtcd: false }),
    found: [["nobody_answers", "nobody answers at n/c/e"]],
  },
  {
    what: "nobody is registered as far as is known, while etcd is away",
    snapshot: snapshotOf(ETCD_AWAY, {
      ...workers(),
      membershipFromEtcd: false,
    }),
    found: [["store_disconnected", "etcd is not connected"]],
    reasons: ["etcd is not connected"],
  },
  {
    what: "nobody of those that are registered was heard",
    snapshot: snapshotOf({}, workers({ state: "discovered", channels: new Set() })),
    found: [["nothing_heard", "1 worker is registered at n/c/e, and none was heard"]],
  },
  {
    what: "one of those that are registered was not heard yet",
    snapshot: snapshotOf({}, workers({}, { state: "discovered", channels: new Set() })),
    found: [["worker_unheard", "worker 2 was not heard yet"]],
  },
  {
    what: "two answers of a round have one id",
    snapshot: snapshotOf({}, { ...workers({}), lastRound: { ...ROUND, answeredTwice: 1 } }),
    found: [["id_twice", "1 worker at n/c/e answered the last round twice"]],
  },
  {
    what: "more requests wait than there are slots",
    snapshot: snapshotOf({}, workers({ numbers: { requestsWaiting: 4, totalSlots: 4 } })),
    found: [["requests_waiting", "4 requests wait at n/c/e"]],
  },
  {
    what: "workers do not answer over NATS, and need not",
    snapshot: snapshotOf({}, { ...workers({}), needsNats: false, lastRound: { ...ROUND, answered: 0 } }),
    found: [["stats_not_used", "the workers at n/c/e do not answer over NATS"]],
  },
  {
    what: "workers are in all kinds of trouble: the worst comes first",
    snapshot: snapshotOf(
      {},
      workers(
        { pageProblem: "refused", coverage: { expected: 4, heard: 2, blocks: 2, running: 2 } },
        { state: "no_data" },
        { state: "undecodable" },
        { state: "silent", hasFallenSilent: true, lastAnswerAt: at(3) },
        { stuckSeconds: 12.5, stuckSince: at(4), numbers: { requestsInFlight: 8 } },
        { ranks: [rankOf(0, { isSilent: false }), rankOf(1, { isSilent: true })] },
      ),
    ),
    found: [
      ["worker_stuck", "worker 5 is stuck: 8 requests in flight, no forward pass for 12 s"],
      ["worker_silent", "worker 4 is silent"],
      ["worker_unreadable", "worker 3 answers with a record that is no load"],
      ["rank_silent", "worker 6 has a silent rank: 1"],
      ["worker_without_load", "worker 2 answers without load"],
      ["coverage_partial", "worker 1 shows numbers of 2 of 4 ranks"],
      ["page_unreadable", "worker 1 has a page that is not read: refused"],
    ],
    reasons: ["worker 5 is stuck: 8 requests in flight, no forward pass for 12 s"],
  },
  {
    what: "workers were lost",
    snapshot: snapshotOf({}, {
      ...workers({}),
      changes: {
        log: [],
        since: at(0),
        losses: [
          { at: at(1), count: 1, workers: ["7" as WorkerId], aliveBefore: 4 },
          { at: at(2), count: 2, workers: ["8" as WorkerId, "9" as WorkerId], aliveBefore: 3 },
        ],
      },
    }),
    found: [["worker_lost", "worker 7 was lost"], ["worker_lost", "2 workers were lost, 8 first"]],
  },
];

for (const { what, snapshot, found, reasons = [] } of CASES) {
  Deno.test(`when ${what}, the findings are: ${found.map(([code]) => code).join(", ") || "none"}`, () => {
    const { listed } = findingsOf(snapshot);
    assert.deepEqual(listed.map(({ code, text }) => [code, text]), found);
    for (const { code, severity } of listed) assert.equal(severity, FINDING_KINDS[code].severity);
    assert.deepEqual(degradedReasons(snapshot), reasons);
  });
}

Deno.test("every code is found in some case", () => {
  const found = new Set(CASES.flatMap(({ found }) => found.map(([code]) => code)));
  assert.deepEqual(FINDING_CODES.filter((code) => !found.has(code)), []);
});

Deno.test("a finding says since when and why, where that is known, and of whom", () => {
  const [nats] = findingsOf(snapshotOf(NATS_AWAY)).listed;
  assert.deepEqual([nats!.since, nats!.hint], [at(5), "why"]);
  const [silent] =
    findingsOf(snapshotOf({}, workers({ state: "silent", hasFallenSilent: true, lastAnswerAt: at(3) })))
      .listed;
  assert.deepEqual([silent!.since, silent!.worker, silent!.target], [at(3), "1", TARGET]);
  assert.equal(silent!.hint, FINDING_KINDS.worker_silent.action);
});

Deno.test("of many findings a hundred are listed, the worst first, all are counted, and some are reasons", () => {
  const stuck: WorkerPart = { stuckSeconds: 10, stuckSince: at(1), numbers: { requestsInFlight: 1 } };
  const many = snapshotOf(
    {},
    workers(
      ...Array<WorkerPart>(300).fill({ state: "silent", hasFallenSilent: true }),
      ...Array<WorkerPart>(40).fill(stuck),
    ),
  );
  const { listed, counts } = findingsOf(many);
  assert.deepEqual([listed.length, listed[39]!.code, listed[40]!.code], [
    100,
    "worker_stuck",
    "worker_silent",
  ]);
  assert.deepEqual([counts.get("worker_silent"), counts.get("worker_stuck"), counts.get("round_failed")], [
    300,
    40,
    0,
  ]);
  assert.deepEqual(degradedReasons(many).slice(4), [
    "worker 305 is stuck: 1 request in flight, no forward pass for 10 s",
    "35 more: worker_stuck",
  ]);
});
