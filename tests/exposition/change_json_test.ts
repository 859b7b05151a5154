import assert from "node:assert/strict";
import { rankOf } from "../helpers/plain_worker.ts";
import { changeJson } from "../../lib/exposition/change_json.ts";
import { fleetJson } from "../../lib/exposition/fleet_json.ts";
import { timeText } from "../../lib/exposition/time_text.ts";
import type { Load } from "../../lib/dynamo/load.ts";
import { compareWorkerIds, type WorkerId } from "../../lib/dynamo/worker_id.ts";
import { type Snapshot } from "../../lib/fleet/snapshot.ts";
import { type WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import type { Change, Fleet, Numbers, Worker } from "../helpers/api_reader.ts";
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
    connections: [],
    namespaces: [],
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
  const targets = change.targets.map(
    ({ changed, numbers, gone, seen_at, not_seen, changes = [], ...target }, n) => {
      const workers = new Map(fleet.targets[n]!.workers.map((worker) => [worker.id, worker]));
      for (const id of gone) assert.ok(workers.delete(id), `${id} was not there`);
      const told = new Set(changed.map(({ id }) => id));
      for (const id of workers.keys()) {
        if (!told.has(id) && !not_seen.includes(id)) {
          workers.set(id, { ...workers.get(id)!, last_seen_at: seen_at! });
        }
      }
      for (const worker of changed) workers.set(worker.id, worker);
      for (const [n, id] of (numbers?.id ?? []).entries()) {
        workers.set(id, { ...workers.get(id)!, ...known(numbers!, n) });
      }
      const order = (a: Worker, b: Worker) => compareWorkerIds(a.id as WorkerId, b.id as WorkerId);
      const { changes: before } = fleet.targets[n]!;
      return { ...target, changes: [...before!, ...changes], workers: [...workers.values()].sort(order) };
    },
  );
  return { findings: fleet.findings, ...change, targets };
}

const TROUBLES = {
  stuckSince: steps.at(5),
  stuckSeconds: 12,
  isFirstPassPending: false,
  pageProblem: "http://h/metrics: connection refused",
  changesAtMs: Infinity,
};

/** What a change says of the n-th whose numbers changed; nobody here has lists. */
function known({ id: _, ...columns }: Numbers, n: number): Record<string, number> {
  const values = Object.entries(columns).map(([name, column]) => [name, column[n]]);
  return Object.fromEntries(values.filter(([, value]) => value !== null));
}

const two: readonly steps.Step[] = [[0, steps.round(1, 0, [steps.answer(a, 1, 0), steps.answer(b, 1, 0)])]];
const first = snapshot(1, 0, ...two);

const rows: readonly {
  readonly what: string;
  readonly after: Snapshot;
  readonly changed?: readonly string[];
  readonly numbers?: Numbers;
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
    numbers: { id: [a], kv_blocks_used: [41], cache_usage: [0.41] },
    notSeen: [b],
  },
  {
    what: "other numbers of both, of one without an answer since",
    after: snapshot(
      2,
      1_000,
      [0, steps.round(1, 0, [steps.answer(a, 1, 0), steps.answer(b, 1, 0, steps.load(7))])],
      [1_000, steps.round(2, 1_000, [steps.answer(a, 2, 1_000, steps.load(41))])],
    ),
    numbers: { id: [a, b], kv_blocks_used: [41, 7], cache_usage: [0.41, 0.07] },
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

for (const { what, after, changed = [], numbers, gone = [], notSeen = [] } of rows) {
  Deno.test(`a change of ${what} makes of the state before the state after, and names no more than it needs`, () => {
    const change = changeOf(first, after);
    assert.deepEqual(applied(fleetOf(first), change), fleetOf(after));
    const [target] = change.targets;
    assert.deepEqual(target!.changed.map(({ id }) => id), changed);
    assert.deepEqual(target!.numbers, numbers);
    assert.deepEqual(target!.gone, gone);
    assert.deepEqual(target!.not_seen, notSeen);
  });
}

const whole: WorkerSnapshot = {
  blocksAt: undefined,
  id: a,
  state: "responding",
  hasFallenSilent: false,
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
    requestsInFlight: 9,
  },
  coverage: { expected: 4, heard: 3, blocks: 2, running: 2 },
  ranks: [rankOf(0, { usedBlocks: 1, running: 2, waiting: 3, cacheUsageRatio: 0.5, prefixHitRatio: 0.1 })],
  estimates: [{ router: "7", dpRank: 0, activeDecodeBlocks: 1, activePrefillTokens: 2 }],
  channels: new Set(["stats", "card"]),
  card: steps.card(a, { model: "m", workerType: "decode" }),
  service: { name: "s", version: "1" },
  endpoints: [{ endpoint: "e", requests: 1, errors: 2, processingSeconds: 3 }],
  ...TROUBLES,
};

const { numbers, card, ranks: [rank], estimates: [estimate], endpoints: [counters] } = whole;

/** Everything that is told of a worker but numbers and when it was seen, changed by itself. */
const labels: readonly Partial<WorkerSnapshot>[] = [
  { state: "no_data" },
  { registered: undefined },
  { release: "1.6.0" },
  { load: { ...whole.load!, shape: "flat8" } },
  { service: undefined },
  { card: undefined },
  { card: { ...card!, model: "n" } },
  { card: { ...card!, workerType: "prefill" } },
  { lastAnswerAt: undefined },
  { channels: new Set(["stats"]) },
  { channels: new Set(["stats", "http"]) },
  { stuckSince: undefined },
  { stuckSince: steps.at(8) },
  { isFirstPassPending: true },
  { pageProblem: undefined },
  { pageProblem: "http://h/metrics: name not found: h" },
  { ranks: [] },
  { ranks: [{ ...rank!, isSilent: true }] },
  { ranks: [{ ...rank!, dpRank: 1 }] },
  { ranks: [rank!, { ...rank!, dpRank: 1 }] },
  { estimates: [estimate!, estimate!] },
  { estimates: [{ ...estimate!, router: "8" }] },
  { estimates: [{ ...estimate!, dpRank: 1 }] },
  { endpoints: [] },
  { endpoints: [{ ...counters!, endpoint: "f" }] },
];

/** Each number, changed by itself, and the columns that then are there, with all that is in them. */
const counts: readonly (readonly [Partial<WorkerSnapshot>, Omit<Numbers, "id">])[] = [
  [{ numbers: { ...numbers, activeBlocks: 9 } }, { kv_blocks_used: [9] }],
  [{ numbers: { ...numbers, totalBlocks: 9 } }, { kv_blocks_total: [9] }],
  [{ numbers: { ...numbers, activeSlots: 9 } }, { slots_active: [9] }],
  [{ numbers: { ...numbers, totalSlots: 9 } }, { slots_total: [9] }],
  [{ numbers: { ...numbers, requestsWaiting: 9 } }, { requests_waiting: [9] }],
  [{ numbers: { ...numbers, cacheUsageRatio: NaN } }, { cache_usage: [null] }],
  [{ numbers: { ...numbers, prefixHitRatio: 0.9 } }, { prefix_hit: [0.9] }],
  [{ numbers: { ...numbers, requestsInFlight: 0 } }, { requests_in_flight: [0] }],
  [{ coverage: { expected: 4, heard: 4, blocks: 2, running: 2 } }, { ranks_heard: [4] }],
  [{ coverage: { expected: undefined, heard: 3, blocks: 2, running: 2 } }, { ranks_expected: [null] }],
  [{ coverage: undefined }, { ranks_expected: [null], ranks_heard: [null] }],
  [{ numbers: {} }, {
    kv_blocks_used: [null],
    kv_blocks_total: [null],
    slots_active: [null],
    slots_total: [null],
    requests_waiting: [null],
    cache_usage: [null],
    prefix_hit: [null],
    requests_in_flight: [null],
  }],
  [{ ranks: [{ ...rank!, usedBlocks: undefined }] }, { ranks: { kv_blocks_used: [null] } }],
  [{ ranks: [{ ...rank!, running: 0 }] }, { ranks: { requests_running: [0] } }],
  [{ ranks: [{ ...rank!, waiting: 0 }] }, { ranks: { requests_waiting: [0] } }],
  [{ ranks: [{ ...rank!, cacheUsageRatio: 0 }] }, { ranks: { cache_usage: [0] } }],
  [{ ranks: [{ ...rank!, prefixHitRatio: undefined }] }, { ranks: { prefix_hit: [null] } }],
  [{ estimates: [{ ...estimate!, activeDecodeBlocks: 0 }] }, { estimates: { active_decode_blocks: [0] } }],
  [{ estimates: [{ ...estimate!, activePrefillTokens: undefined }] }, {
    estimates: { active_prefill_tokens: [null] },
  }],
  [{ endpoints: [{ ...counters!, requests: 2 }] }, { endpoints: { requests: [2] } }],
  [{ endpoints: [{ ...counters!, errors: undefined, processingSeconds: 4 }] }, {
    endpoints: { errors: [null], processing_seconds: [4] },
  }],
];

/** A Snapshot of these workers. */
function of(...workers: WorkerSnapshot[]): Snapshot {
  return { ...first, targets: [{ ...first.targets[0]!, workers }] };
}

Deno.test("a worker is told whole when anything of it changes that is no number, and not when nothing does", () => {
  for (const more of labels) {
    const after = of({ ...whole, ...more });
    assert.notDeepEqual(fleetOf(of(whole)).targets, fleetOf(after).targets, JSON.stringify(more));
    const [target] = changeOf(of(whole), after).targets;
    assert.equal(target!.changed.length, 1, JSON.stringify(more));
    assert.equal(target!.numbers, undefined, JSON.stringify(more));
  }
  const copy = { ...structuredClone(whole), service: { name: "other", version: "1" } };
  assert.deepEqual(changeOf(of(whole), of(copy)).targets[0]!.changed, []);
  assert.equal(changeOf(of(whole), of(copy)).targets[0]!.numbers, undefined);
});

Deno.test("of a worker of which numbers alone change only the columns are told in which they do", () => {
  for (const [more, columns] of counts) {
    const [target] = changeOf(of(whole), of({ ...whole, ...more })).targets;
    assert.deepEqual(target!.numbers, { id: [a], ...columns });
    assert.deepEqual([target!.changed, target!.not_seen], [[], [a]]);
  }
});

Deno.test("a worker whose last sign of life is an older one than before is told whole", () => {
  const [target] = changeOf(of({ ...whole, lastAnswerAt: steps.at(1) }), of(whole)).targets;
  assert.deepEqual(target!.changed.map(({ last_seen_at }) => last_seen_at), [timeText(steps.at(0))]);
});

Deno.test("the numbers of many workers come in pieces of a bounded length, and are whole", () => {
  const workers = Array.from({ length: 1_000 }, (_, n): WorkerSnapshot => ({
    ...whole,
    id: String(n + 1) as WorkerId,
    endpoints: [counters!, { ...counters!, endpoint: "f" }],
  }));
  const after = workers.map((worker, n): WorkerSnapshot => ({
    ...worker,
    numbers: { ...numbers, activeBlocks: 1e15 + n },
    endpoints: [{ ...counters!, requests: n }, { ...counters!, endpoint: "f", requests: 2 * n }],
  }));
  const pieces = [...changeJson(of(...workers), of(...after))];
  assert.ok(pieces.every(({ length }) => length < 4_096));
  const { targets: [target] } = JSON.parse(pieces.join(""));
  assert.deepEqual(target.numbers, {
    id: workers.map(({ id }) => id),
    kv_blocks_used: workers.map((_, n) => 1e15 + n),
    endpoints: { requests: workers.flatMap((_, n) => [n, 2 * n]) },
  });
});

Deno.test("of endpoints that have one name when written, the later is told, as on the page", () => {
  const named = (endpoint: string, requests: number) => ({ ...counters!, endpoint, requests });
  const endpoints = [named("\ud800", 1), named("\ufffd", 2), named("f", 3)];
  const told = fleetOf(of({ ...whole, endpoints }));
  assert.deepEqual(
    told.targets[0]!.workers[0]!.endpoints.map((
      { name, requests }: { name: string; requests: number },
    ) => [name, requests]),
    [["\ufffd", 2], ["f", 3]],
  );
  const later = [named("\ud800", 7), named("\ufffd", 8), named("f", 9)];
  const [target] = changeOf(of({ ...whole, endpoints }), of({ ...whole, endpoints: later })).targets;
  assert.deepEqual(target!.numbers, { id: [a], endpoints: { requests: [8, 9] } });
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
