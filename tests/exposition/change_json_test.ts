import assert from "node:assert/strict";
import { changeJson } from "../../lib/exposition/change_json.ts";
import { fleetJson } from "../../lib/exposition/fleet_json.ts";
import { timeText } from "../../lib/exposition/worker_json.ts";
import type { Load } from "../../lib/dynamo/load.ts";
import { compareWorkerIds, type WorkerId } from "../../lib/dynamo/worker_id.ts";
import { type Snapshot } from "../../lib/fleet/snapshot.ts";
import { type WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import type { Change, Fleet, Worker } from "../helpers/api_reader.ts";
import { assertSchema } from "../helpers/api_schema.ts";
import * as steps from "../helpers/fleet_steps.ts";
import { a, b } from "../helpers/fleet_steps.ts";
import { snapshotTarget } from "../helpers/fleet_at_once.ts";

/** The fleet at a moment after these inputs, as the Snapshot with that number. */
function snapshot(seq: number, ms: number, ...inputs: steps.Step[]): Snapshot {
  const { fleet } = steps.feed(...inputs);
  const options = { now: steps.at(ms), limits: steps.limits };
  return {
    seq,
    at: steps.at(ms),
    nats: undefined,
    store: undefined,
    targets: [snapshotTarget(fleet, options)],
  };
}

function fleetOf(snapshot: Snapshot): Fleet {
  const fleet = JSON.parse([...fleetJson(snapshot)].join(""));
  assertSchema("fleet", fleet);
  return fleet;
}

function changeOf(before: Snapshot, after: Snapshot): Change {
  const change = JSON.parse([...changeJson(before, after)].join(""));
  assertSchema("change", { ...change, now: timeText(after.at) }); // The stream adds when it is sent.
  return change;
}

/** What a reader makes of a state and a change; of those who were seen, when is left out. */
function applied(fleet: Fleet, change: Change): unknown {
  const targets = change.targets.map(({ changed, gone, seen_at, not_seen, ...target }, n) => {
    const workers = new Map(fleet.targets[n]!.workers.map((worker) => [worker.id, worker]));
    for (const id of gone) assert.ok(workers.delete(id), `${id} was not there`);
    const told = new Set(changed.map(({ id }) => id));
    for (const id of workers.keys()) {
      if (!told.has(id) && !not_seen.includes(id)) {
        workers.set(id, { ...workers.get(id)!, last_seen_at: seen_at! });
      }
    }
    for (const worker of changed) workers.set(worker.id, worker);
    const order = (a: Worker, b: Worker) => compareWorkerIds(a.id as WorkerId, b.id as WorkerId);
    return { ...target, workers: [...workers.values()].sort(order) };
  });
  return { ...change, targets };
}

const two: readonly steps.Step[] = [[0, steps.round(1, 0, [steps.answer(a, 1, 0), steps.answer(b, 1, 0)])]];
const first = snapshot(1, 0, ...two);

const rows: readonly {
  readonly what: string;
  readonly after: Snapshot;
  readonly changed?: readonly string[];
  readonly gone?: readonly string[];
  readonly notSeen?: readonly string[];
}[] = [
  { what: "nothing", after: snapshot(2, 10, ...two), notSeen: [a, b] },
  {
    what: "an answer with the same numbers",
    after: snapshot(2, 1_000, ...two, [
      1_000,
      steps.round(2, 1_000, [steps.answer(a, 2, 1_000), steps.answer(b, 2, 1_000)]),
    ]),
  },
  {
    what: "other numbers of one, no answer of the other",
    after: snapshot(2, 1_000, ...two, [
      1_000,
      steps.round(2, 1_000, [steps.answer(a, 2, 1_000, steps.load(41))]),
    ]),
    changed: [a],
    notSeen: [b],
  },
  { what: "both silent", after: snapshot(2, 5_000, ...two), changed: [a, b] },
  {
    what: "a newcomer between them",
    after: snapshot(2, 5, ...two, [5, steps.late(steps.answer("9000" as WorkerId, 1, 5))]),
    changed: ["9000"],
    notSeen: [a, b],
  },
  {
    what: "the first gone",
    after: snapshot(2, 0, [0, steps.round(1, 0, [steps.answer(b, 1, 0)])]),
    gone: [a],
    notSeen: [b],
  },
  {
    what: "the last gone",
    after: snapshot(2, 0, [0, steps.round(1, 0, [steps.answer(a, 1, 0)])]),
    gone: [b],
    notSeen: [a],
  },
  { what: "all gone", after: snapshot(2, 0), gone: [a, b] },
  {
    what: "a round failed",
    after: snapshot(2, 9, ...two, [9, steps.round(2, 9, [], "disconnected")]),
    changed: [a, b],
  },
  {
    what: "a card, ranks and an estimate",
    after: snapshot(
      2,
      9,
      ...two,
      [5, steps.etcdOfChannels(true, [steps.card(a, { model: "m", ranks: 2 })])],
      [
        9,
        steps.observations(
          steps.observed(9, a, { kind: "blocks", usedBlocks: 3 }),
          steps.observed(9, a, { kind: "blocks", usedBlocks: 4 }, { dpRank: 1 }),
          steps.observed(9, a, {
            kind: "router",
            router: "7",
            activeDecodeBlocks: 1,
            activePrefillTokens: 2,
          }),
        ),
      ],
    ),
    changed: [a, b],
  },
];

for (const { what, after, changed = [], gone = [], notSeen = [] } of rows) {
  Deno.test(`a change of ${what} makes of the state before the state after, and names no more than it needs`, () => {
    const change = changeOf(first, after);
    assert.deepEqual(applied(fleetOf(first), change), fleetOf(after));
    const [target] = change.targets;
    assert.deepEqual(target!.changed.map(({ id }) => id), changed);
    assert.deepEqual(target!.gone, gone);
    assert.deepEqual(target!.not_seen, notSeen);
  });
}

const whole: WorkerSnapshot = {
  blocksAt: undefined,
  id: a,
  state: "responding",
  registered: true,
  release: "1.6.1",
  lastAnswerAt: steps.at(0),
  load: { shape: "nested", activeSlots: 1, totalSlots: 2, activeBlocks: 3, totalBlocks: 4 },
  numbers: {
    activeSlots: 1,
    totalSlots: 2,
    activeBlocks: 3,
    totalBlocks: 4,
    requestsWaiting: 5,
    cacheUsageRatio: 0.6,
    prefixHitRatio: 0.7,
  },
  ranks: [{ dpRank: 0, usedBlocks: 1, running: 2, waiting: 3 }],
  estimates: [{ router: "7", dpRank: 0, activeDecodeBlocks: 1, activePrefillTokens: 2 }],
  channels: new Set(["stats", "card"]),
  card: steps.card(a, { model: "m", workerType: "decode" }),
  service: { name: "s", version: "1" },
  endpoints: [{ endpoint: "e", requests: 1, errors: 2, processingSeconds: 3 }],
};
const { numbers, card, ranks: [rank], estimates: [estimate], endpoints: [counters] } = whole;

/** Everything that is told of a worker but when it was seen, changed by itself. */
const tellings: readonly Partial<WorkerSnapshot>[] = [
  { state: "no_data" },
  { registered: undefined },
  { release: "1.6.0" },
  { load: { ...whole.load!, shape: "flat8" } },
  { service: undefined },
  { card: undefined },
  { card: { ...card!, model: "n" } },
  { card: { ...card!, workerType: "prefill" } },
  ...Object.keys(numbers).map((name) => ({ numbers: { ...numbers, [name]: 9 } })),
  { channels: new Set(["stats"]) },
  { channels: new Set(["stats", "http"]) },
  { ranks: [] },
  { ranks: [{ ...rank!, dpRank: 1 }] },
  { ranks: [{ ...rank!, usedBlocks: undefined }] },
  { ranks: [{ ...rank!, running: 0 }] },
  { ranks: [{ ...rank!, waiting: 0 }] },
  { estimates: [estimate!, estimate!] },
  { estimates: [{ ...estimate!, router: "8" }] },
  { estimates: [{ ...estimate!, dpRank: 1 }] },
  { estimates: [{ ...estimate!, activeDecodeBlocks: 0 }] },
  { estimates: [{ ...estimate!, activePrefillTokens: undefined }] },
  { endpoints: [] },
  { endpoints: [{ ...counters!, endpoint: "f" }] },
  { endpoints: [{ ...counters!, requests: 2 }] },
  { endpoints: [{ ...counters!, errors: undefined }] },
  { endpoints: [{ ...counters!, processingSeconds: 4 }] },
];

Deno.test("a worker is told again when anything that is told of it changes, and not when nothing does", () => {
  const [target] = first.targets;
  const of = (worker: WorkerSnapshot): Snapshot => ({
    ...first,
    targets: [{ ...target!, workers: [worker] }],
  });
  for (const more of tellings) {
    const after = of({ ...whole, ...more });
    assert.notDeepEqual(fleetOf(of(whole)).targets, fleetOf(after).targets, JSON.stringify(more));
    assert.equal(changeOf(of(whole), after).targets[0]!.changed.length, 1, JSON.stringify(more));
  }
  const copy = { ...structuredClone(whole), service: { name: "other", version: "1" } };
  assert.deepEqual(changeOf(of(whole), of(copy)).targets[0]!.changed, []);
});

Deno.test("of endpoints that have one name when written, the later is told, as on the page", () => {
  const named = (endpoint: string, requests: number) => ({ ...counters!, endpoint, requests });
  const endpoints = [named("\ud800", 1), named("\ufffd", 2), named("f", 3)];
  const [target] = first.targets;
  const told = fleetOf({ ...first, targets: [{ ...target!, workers: [{ ...whole, endpoints }] }] });
  assert.deepEqual(
    told.targets[0]!.workers[0]!.endpoints.map((
      { name, requests }: { name: string; requests: number },
    ) => [name, requests]),
    [["\ufffd", 2], ["f", 3]],
  );
});

Deno.test("a number that is not finite is as good as not known", () => {
  const { load } = steps.load(1) as { load: Load };
  const odd = { kind: "load" as const, load: { ...load, cacheUsageRatio: NaN, prefixHitRatio: Infinity } };
  const [target] = fleetOf(snapshot(1, 0, [0, steps.round(1, 0, [steps.answer(a, 1, 0, odd)])])).targets;
  assert.equal(target!.workers[0]!.kv_blocks_used, 1);
  assert.deepEqual(["cache_usage", "prefix_hit"].filter((field) => field in target!.workers[0]!), []);
});

Deno.test("utilisation is over those that say both, sums are over those that say the number", () => {
  const { fleet } = steps.feed(
    [0, steps.etcdOfChannels(true, [steps.card(a), steps.card(b, { worker: b })])],
    [1, steps.observations(steps.observed(1, a, { kind: "blocks", usedBlocks: 128 }))],
  );
  const shown = snapshotTarget(fleet, { now: steps.at(1), limits: steps.limits });
  const { aggregate } = fleetOf({ ...first, targets: [shown] }).targets[0]!;
  assert.deepEqual(
    [aggregate.kv_blocks_used, aggregate.kv_blocks_total, aggregate.kv_utilisation],
    [128, 1_024, 0.25],
  );
  assert.deepEqual(
    [aggregate.slots_active, aggregate.slots_total, aggregate.slot_utilisation],
    [undefined, 8, undefined],
  );
});
