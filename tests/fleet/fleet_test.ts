import assert from "node:assert/strict";
import { NO_REGISTRATION } from "../../lib/discovery/membership.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { expectedWorkers } from "../../lib/fleet/fleet.ts";
import { MAX_WORKERS } from "../../lib/fleet/fleet_draft.ts";
import type { LoadOutcome } from "../../lib/scrape/answer.ts";
import {
  a,
  answer,
  at,
  b,
  etcd,
  feed,
  late,
  limits,
  load,
  observed,
  round,
  states,
  time,
} from "../helpers/fleet_steps.ts";
import { snapshotTarget } from "../helpers/fleet_at_once.ts";

Deno.test("a worker that answers is responding with its load, and silent without it once the answer is stale", () => {
  const { fleet } = feed([10, round(1, 10, [answer(a, 1, 10)])]);
  assert.deepEqual(states(fleet, 3_009), { [a]: "responding" });
  assert.equal(snapshotTarget(fleet, { now: at(10), limits }).changesAtMs, 3_010);
  const shown = snapshotTarget(fleet, { now: at(3_010), limits });
  assert.equal(shown.workersByState.silent, 1);
  assert.equal(shown.workers[0]!.load, undefined);
  assert.equal(shown.load, undefined);
  assert.equal(expectedWorkers(fleet, { now: at(3_010), limits }).size, 0);
});

Deno.test("average and deviation are over the workers with load alone", () => {
  const { fleet } = feed([10, round(1, 10, [answer(a, 1, 9, load(10)), answer(b, 1, 9, load(30))])]);
  assert.deepEqual(snapshotTarget(fleet, { now: at(10), limits }).load, {
    workers: 2,
    blocks: 40,
    blocksSquared: 1_000,
    avg: 20,
    std: 10,
  });
});

Deno.test("a later answer to the same question replaces the first and is counted", () => {
  const { fleet, notes } = feed([10, round(1, 10, [answer(a, 1, 8, load(1)), answer(a, 1, 9, load(2))])]);
  assert.equal(notes.uncounted.duplicate_id, 1);
  assert.equal(snapshotTarget(fleet, { now: at(10), limits }).load?.avg, 2);
});

Deno.test("a late answer makes a newcomer known, and is only counted when the worker answered a newer question", () => {
  const newcomer = feed([10, round(1, 10, [])], [20, late(answer(a, 1, 20))]);
  assert.equal(newcomer.notes.uncounted.late, 0);
  assert.deepEqual(states(newcomer.fleet, 20), { [a]: "responding" });
  const older = feed([10, round(2, 10, [answer(a, 2, 10)])], [20, late(answer(a, 1, 20, load(99)))]);
  assert.equal(older.notes.uncounted.late, 1);
  assert.equal(snapshotTarget(older.fleet, { now: at(20), limits }).load?.avg, 40);
});

Deno.test("answers without a usable record take the load away at once", () => {
  const outcomes: [LoadOutcome, string][] = [
    [{ kind: "no_data" }, "no_data"],
    [{ kind: "undecodable" }, "undecodable"],
  ];
  for (const [outcome, state] of outcomes) {
    const { fleet } = feed([10, round(1, 10, [answer(a, 1, 10)])], [
      20,
      round(2, 20, [answer(a, 2, 20, outcome)]),
    ]);
    assert.deepEqual(states(fleet, 20), { [a]: state });
    assert.equal(snapshotTarget(fleet, { now: at(20), limits }).load, undefined);
  }
});

Deno.test("while rounds fail nobody's load is shown, and the workers stay", () => {
  const { fleet } = feed([10, round(1, 10, [answer(a, 1, 10)])], [20, round(2, 20, [], "disconnected")]);
  const shown = snapshotTarget(fleet, { now: at(20), limits });
  assert.deepEqual([shown.up, shown.workers.length, shown.load], [false, 1, undefined]);
});

Deno.test("a registered worker that never answers is discovered, without a limit in time", () => {
  const { fleet } = feed([10, etcd(0, true, a)], [1e9, time(9)]);
  assert.deepEqual(states(fleet, 1e9), { [a]: "discovered" });
});

Deno.test("when a key vanishes, a question sent before that decides nothing and the next one does", () => {
  const gone = [[5, etcd(0, true, a)], [10, round(1, 10, [answer(a, 1, 10)])], [15, etcd(2, true)]] as const;
  assert.deepEqual(states(feed(...gone, [20, round(2, 20, [])]).fleet, 20), { [a]: "responding" });
  const decided = feed(...gone, [20, round(3, 20, [])]);
  assert.deepEqual(states(decided.fleet, 20), {});
  assert.equal(decided.notes.gone.deregistered, 1);
});

Deno.test("a worker whose key vanished and that answers a later question stays", () => {
  const { fleet } = feed(
    [5, etcd(0, true, a)],
    [10, round(1, 10, [answer(a, 1, 10)])],
    [15, etcd(1, true)],
    [20, round(2, 20, [answer(a, 2, 20)])],
    [30, round(3, 30, [])],
  );
  assert.deepEqual(states(fleet, 30), { [a]: "responding" });
  assert.equal(fleet.workers.get(a)!.registered, false);
});

Deno.test("a worker that drained, its key gone first and then its answers, is gone when it is silent", () => {
  const drained = [
    [5, etcd(0, true, a)],
    [10, round(1, 10, [answer(a, 1, 10)])],
    [15, etcd(1, true)],
    [20, round(2, 20, [answer(a, 2, 20)])],
    [2_900, round(3, 2_900, [])],
  ] as const;
  assert.deepEqual(states(feed(...drained, [3_000, time(3)]).fleet, 3_000), {
    [a]: "responding",
  });
  const { fleet, notes } = feed(...drained, [3_020, time(3)]);
  assert.deepEqual([states(fleet, 3_020), notes.gone.deregistered], [{}, 1]);
});

Deno.test("while NATS is away a worker that etcd does not list is not judged by its silence", () => {
  const { fleet } = feed(
    [5, etcd(0, true, a)],
    [10, round(1, 10, [answer(a, 1, 10)])],
    [15, etcd(1, true)],
    [20, round(2, 20, [answer(a, 2, 20)])],
    [2_900, round(3, 2_900, [], "disconnected")],
    [3_020, time(3)],
  );
  assert.deepEqual(states(fleet, 3_020), { [a]: "silent" });
});

Deno.test("a worker that is gone does not come back by an answer to an old question, but by a new one", () => {
  const steps = [[5, etcd(0, true, a)], [15, etcd(1, true)], [20, round(2, 20, [])]] as const;
  const old = feed(...steps, [25, late(answer(a, 1, 25))]);
  assert.deepEqual([states(old.fleet, 25), old.notes.uncounted.late], [{}, 1]);
  assert.deepEqual(states(feed(...steps, [30, round(3, 30, [answer(a, 3, 30)])]).fleet, 30), {
    [a]: "responding",
  });
});

Deno.test("without etcd a silent worker is forgotten in time, and comes back when it answers again", () => {
  const forgotten = feed([10, round(1, 10, [answer(a, 1, 10)])], [30_010, time(30)]);
  assert.deepEqual([states(forgotten.fleet, 30_010), forgotten.notes.gone.forgotten], [{}, 1]);
  const { fleet } = feed(
    [10, round(1, 10, [answer(a, 1, 10)])],
    [30_010, time(30)],
    [31_000, round(31, 31_000, [answer(a, 31, 31_000)])],
  );
  assert.deepEqual(states(fleet, 31_000), { [a]: "responding" });
});

Deno.test("of more workers than can be, by what is said on NATS, only those come that etcd lists, and the rest is counted", () => {
  const ids = Array.from({ length: MAX_WORKERS }, (_, n) => String(n + 1_000) as WorkerId);
  const registered = new Map([b, ...ids].map((id) => [id, NO_REGISTRATION]));
  const named = (ms: number, ids: readonly WorkerId[]) => ({
    kind: "events" as const,
    lost: new Set<string>(),
    counts: new Map(),
    observations: ids.map((id) => observed(ms, id, { kind: "blocks", usedBlocks: 1 })),
  });
  const { fleet, notes } = feed(
    [10, named(10, ids)],
    [11, named(11, [a, b, ids[0]!])],
    [12, round(1, 12, [answer(a, 1, 12), answer(ids[1]!, 1, 12)])],
    [13, {
      kind: "membership",
      request: 1,
      channels: [],
      membership: { known: true, workers: registered, publishers: new Set(), needsNats: true },
    }],
  );
  assert.deepEqual([[...notes.unheard.values()], notes.uncounted], [
    ["too_many_workers", "too_many_workers"],
    { duplicate_id: 0, late: 0, too_many_workers: 1 },
  ]);
  assert.deepEqual([fleet.workers.size, fleet.workers.has(a), fleet.workers.has(b)], [
    MAX_WORKERS + 1,
    false,
    true,
  ]);
});

Deno.test("workers are shown in the order of their ids, above 2^63 too", () => {
  const { fleet } = feed([10, round(1, 10, [answer(b, 1, 9), answer(a, 1, 9)])]);
  const { workers } = snapshotTarget(fleet, { now: at(10), limits });
  assert.deepEqual(workers.map(({ id }) => id), ["161", "18446744073709551615"]);
});

Deno.test("a round says how many were expected, silent ones too, how many answered and how many with load", () => {
  const first = feed([10, round(1, 10, [answer(a, 1, 9), answer(b, 1, 9)])]);
  const { lastRound, lastCompleteRoundAt } = first.fleet;
  assert.deepEqual([lastRound?.expected, lastRound?.answered, lastRound?.decoded], [0, 2, 2]);
  assert.deepEqual(lastCompleteRoundAt, at(10));
  const { fleet } = feed(
    [10, round(1, 10, [answer(a, 1, 9), answer(b, 1, 9)])],
    [
      5_000,
      round(2, 5_000, [answer(a, 2, 4_999, { kind: "no_data" }), answer(a, 2, 4_999, { kind: "no_data" })]),
    ],
  );
  assert.deepEqual(
    [fleet.lastRound?.expected, fleet.lastRound?.answered, fleet.lastRound?.decoded],
    [2, 1, 0],
  );
  assert.deepEqual(fleet.lastCompleteRoundAt, at(10));
  assert.deepEqual(fleet.lastGoodRoundAt, at(5_000));
});

Deno.test("the oldest and the newest load are told by when they arrived", () => {
  const { fleet } = feed(
    [10, round(1, 10, [answer(a, 1, 5), answer(b, 1, 7)])],
    [20, late(answer(b, 1, 20))],
  );
  assert.deepEqual(snapshotTarget(fleet, { now: at(20), limits }).loadFrom, {
    oldest: at(5),
    newest: at(20),
  });
});
