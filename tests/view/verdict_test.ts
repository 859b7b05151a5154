import assert from "node:assert/strict";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import type { Fleet } from "../../lib/exposition/api_v1.ts";
import { fleetJson } from "../../lib/exposition/fleet_json.ts";
import type { Snapshot, TargetSnapshot } from "../../lib/fleet/snapshot.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import { aboutWorker, troublesOf, verdictOf } from "../../lib/view/verdict.ts";
import { assertSchema } from "../helpers/api_schema.ts";
import { AWAY, natsConnection, storeConnection } from "../helpers/connections.ts";
import { at } from "../helpers/fleet_steps.ts";
import { rankOf, UNTROUBLED } from "../helpers/plain_worker.ts";
import { responding, snapshot as shown } from "../helpers/shown_fleet.ts";

type WorkerPart = Partial<WorkerSnapshot>;

const SILENT: WorkerPart = { state: "silent", hasFallenSilent: true, lastAnswerAt: at(3) };
const STUCK: WorkerPart = { stuckSeconds: 20, stuckSince: at(1), numbers: { requestsInFlight: 8 } };
const SILENT_RANK: WorkerPart = { ranks: [rankOf(0), rankOf(1, { isSilent: true })] };
const UNHEARD: WorkerPart = { state: "discovered", channels: new Set() };
const NATS_AWAY = { connections: [natsConnection(AWAY), storeConnection()] };
const BOTH_AWAY = { connections: [natsConnection(AWAY), storeConnection(AWAY)] };
const LOSSES = [{ at: at(1), count: 2, workers: ["7", "8"] as WorkerId[], aliveBefore: 4 }];

interface Shown {
  readonly workers: readonly WorkerPart[];
  readonly target?: Partial<TargetSnapshot>;
  readonly snapshot?: Partial<Snapshot>;
}

/** What the API tells of a fleet in which all is well but for what is given. */
function told({ workers: parts, target, snapshot }: Shown): Fleet {
  const workers = parts.map((part, n): WorkerSnapshot => ({
    ...responding,
    ...UNTROUBLED,
    ranks: [],
    id: String(n + 1) as WorkerId,
    ...part,
  }));
  const workersByState = { discovered: 0, responding: 0, no_data: 0, undecodable: 0, silent: 0 };
  for (const { state } of workers) workersByState[state]++;
  const whole: Snapshot = {
    ...shown,
    connections: [natsConnection(), storeConnection()],
    targets: [{ ...shown.targets[0]!, membershipFromEtcd: true, workers, workersByState, ...target }],
    ...snapshot,
  };
  const fleet = JSON.parse([...fleetJson(whole)].join(""));
  assertSchema("fleet", fleet);
  return fleet;
}

const VERDICTS: readonly (Shown & {
  readonly what: string;
  readonly says: readonly [tone: string, line: string, ...codes: string[]];
})[] = [
  { what: "all are well", workers: [{}, {}, {}], says: ["good", "All 3 workers are alive"] },
  { what: "the only one is well", workers: [{}], says: ["good", "The worker is alive"] },
  {
    what: "one is silent",
    workers: [{}, {}, SILENT],
    says: ["bad", "1 of 3 workers is silent", "worker_silent"],
  },
  {
    what: "all are silent",
    workers: [SILENT, SILENT],
    says: ["bad", "2 of 2 workers are silent", "worker_silent"],
  },
  {
    what: "one is silent while nobody could be seen",
    workers: [{}, { ...SILENT, hasFallenSilent: false }],
    says: ["warn", "1 of 2 workers respond"],
  },
  {
    what: "workers are in several kinds of trouble",
    workers: [{}, SILENT, STUCK, SILENT_RANK, { state: "undecodable" }, { state: "no_data" }],
    says: [
      "bad",
      "1 worker is stuck",
      "worker_stuck",
      "worker_silent",
      "worker_unreadable",
      "rank_silent",
      "worker_without_load",
    ],
  },
  {
    what: "some were not heard yet",
    workers: [{}, {}, UNHEARD],
    says: ["warn", "1 of 3 workers not heard yet", "worker_unheard"],
  },
  {
    what: "nobody was heard",
    workers: [UNHEARD, UNHEARD],
    says: ["warn", "2 workers are registered at d/c/e, and none was heard", "nothing_heard"],
  },
  {
    what: "NATS is away, and needed",
    workers: [{}],
    snapshot: NATS_AWAY,
    says: ["bad", "NATS is not connected", "nats_disconnected"],
  },
  {
    what: "NATS is away, and not needed",
    workers: [{}, {}, {}],
    target: { needsNats: false },
    snapshot: NATS_AWAY,
    says: ["good", "All 3 workers are alive", "nats_not_needed"],
  },
  {
    what: "NATS and etcd are away",
    workers: [],
    snapshot: BOTH_AWAY,
    says: ["bad", "NATS is not connected", "nats_disconnected", "store_disconnected", "nobody_registered"],
  },
  {
    what: "the last round failed",
    workers: [{}],
    target: { up: false },
    says: ["bad", "The last round failed", "round_failed"],
  },
  {
    what: "nobody is registered",
    workers: [],
    says: ["warn", "No worker is registered at d/c/e", "nobody_registered"],
  },
  {
    what: "nothing is known yet",
    workers: [],
    target: { up: false, membershipFromEtcd: false, lastRound: undefined },
    says: ["warn", "Nothing was heard of workers so far"],
  },
  {
    what: "workers were lost",
    workers: [{}, {}],
    target: { changes: { log: [], since: at(0), losses: LOSSES } },
    says: ["warn", "2 alive, 2 lost", "worker_lost"],
  },
  {
    what: "requests wait",
    workers: [{ numbers: { requestsWaiting: 12 } }],
    says: ["warn", "The worker is alive, 12 requests wait", "requests_waiting"],
  },
];

for (const { what, says: [tone, line, ...codes], ...shown } of VERDICTS) {
  Deno.test(`when ${what}, the verdict is: ${line}`, () => {
    const fleet = told({ ...shown, target: { target: TARGET, ...shown.target } });
    const verdict = verdictOf(fleet, fleet.targets[0]!);
    assert.deepEqual([verdict.tone, verdict.line, ...verdict.troubles.map(({ code }) => code)], [
      tone,
      line,
      ...codes,
    ]);
  });
}

const TARGET = { namespace: "d", component: "c", endpoint: "e" };

Deno.test("a trouble names the cause where it is known, and its workers", () => {
  const fleet = told({ workers: [SILENT, STUCK], snapshot: BOTH_AWAY });
  const troubles = troublesOf(fleet, fleet.targets[0]!);
  assert.deepEqual(troubles.map(({ code, hint }) => [code, hint]).slice(0, 2), [
    ["nats_disconnected", "why"],
    ["store_disconnected", "why"],
  ]);
  assert.deepEqual(
    troubles.flatMap(({ findings }) => findings).flatMap((finding) =>
      finding.worker === undefined ? [] : [[finding.worker, aboutWorker(finding)]]
    ),
    [["2", "is stuck: 8 requests in flight, no forward pass for 20 s"], ["1", "is silent"]],
  );
});

Deno.test("of more findings than are listed all are counted, and those of another target are none of this one's", () => {
  const fleet = told({ workers: Array(150).fill(SILENT) });
  const other = { ...fleet.targets[0]!, component: "other", finding_counts: {} };
  const [silent] = troublesOf(fleet, fleet.targets[0]!);
  assert.deepEqual([silent!.line, silent!.count, silent!.findings.length], [
    "150 of 150 workers are silent",
    150,
    100,
  ]);
  assert.deepEqual(troublesOf(fleet, other), []);
});

Deno.test("of a program that does not count its findings, the sums say who is in trouble", () => {
  const fleet = told({ workers: [{}, SILENT, STUCK] });
  const { finding_counts: _, ...old } = fleet.targets[0]!;
  const { tone, line, troubles } = verdictOf({}, old);
  assert.deepEqual([tone, line, troubles.length], ["bad", "1 worker is stuck", 2]);
});
