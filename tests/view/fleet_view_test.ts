import assert from "node:assert/strict";
import { hexOf } from "../../lib/view/filter.ts";
import { FleetView } from "../../lib/view/fleet_view.ts";
import { assertSchema } from "../helpers/api_schema.ts";
import { fleetOf, loaded, workerOf } from "../top/fleet_fixture.ts";
import type {
  Aggregate,
  Change,
  Fleet,
  State,
  TargetChange,
  TargetHead,
  WorkerChange,
} from "../../lib/exposition/api_v1.ts";

const name = { namespace: "dynamo", component: "c", endpoint: "e" };
const aggregate: Aggregate = {
  workers: { responding: 0, silent: 0, discovered: 0, no_data: 0, undecodable: 0 },
};

Deno.test("a change replaces, adds and removes workers, and says when the others were seen", () => {
  const LATER = "2026-01-02T03:04:06.000Z";
  const before = fleetOf([loaded("9", 1, 1), loaded("10", 2, 2), workerOf("11"), workerOf("12")]);
  const { workers: _, ...head } = before.targets[0]!;
  const changed = [loaded("9", 5, 1), workerOf("100"), workerOf("2")];
  const change: Change = {
    ...before,
    seq: 8,
    at: LATER,
    targets: [{ ...head, changed, gone: ["10"], seen_at: LATER, not_seen: ["12"] }],
  };
  assertSchema("change", { ...change, now: LATER });
  const after = withChange(before, change);
  assert.deepEqual([after.seq, after.at], [8, LATER]);
  assert.deepEqual(after.targets[0]!.workers, [
    workerOf("2"),
    loaded("9", 5, 1),
    workerOf("11", { last_seen_at: LATER }),
    workerOf("12"),
    workerOf("100"),
  ]);
  const numbers = { id: ["9", "11"], kv_blocks_used: [6, 3], slots_active: [null, 0] };
  const counted: Change = {
    ...change,
    targets: [{ ...head, changed: [], numbers, gone: ["100"], seen_at: LATER, not_seen: ["11", "12"] }],
  };
  assertSchema("change", { ...counted, now: LATER });
  const { slots_active: __, ...nine } = loaded("9", 6, 1, { last_seen_at: LATER });
  assert.deepEqual(withChange(before, counted).targets[0]!.workers, [
    nine,
    loaded("10", 2, 2, { last_seen_at: LATER }),
    workerOf("11", { kv_blocks_used: 3, slots_active: 0 }),
    workerOf("12"),
  ]);
  assert.deepEqual(withChange(after, { ...change, targets: [] }).targets, []);
  const quiet: Change = {
    ...change,
    targets: [{ ...head, changed: [], gone: [], not_seen: ["9", "10", "11", "12"] }],
  };
  assert.deepEqual(withChange(before, quiet).targets[0]!.workers, before.targets[0]!.workers);
});

/** What a reader has who was told `before`, then the change. */
function withChange(before: Fleet, change: Change): Fleet {
  const view = new FleetView();
  view.replace(structuredClone(before));
  view.apply(structuredClone(change));
  return view.state();
}

Deno.test("numbers are put into the workers that are there; null takes one away", () => {
  const view = new FleetView();
  const ranks = [{ dp_rank: 0, kv_blocks_used: 1 }, { dp_rank: 1 }];
  const workers = [{ ...worker("1", "responding", 0), kv_blocks_used: 7, cache_usage: 0.5 }, {
    ...worker("2", "responding", 0),
    ranks,
  }];
  const whole = state(0, []);
  view.replace({ ...whole, targets: [{ ...whole.targets[0]!, workers: [...workers] }] });
  view.apply(
    change(1, {
      changed: [],
      numbers: {
        id: ["1", "2"],
        kv_blocks_used: [8, 9],
        cache_usage: [null, 0],
        ranks: { kv_blocks_used: [null, 3] },
      },
      gone: [],
      seen_at: time(1),
      not_seen: ["2"],
    }),
  );
  const { rows } = view.targets[0]!;
  assert.deepEqual([...rows.values()].map(({ worker, seenMs }) => ({ ...worker, seenMs })), [
    { ...worker("1", "responding", 0), kv_blocks_used: 8, seenMs: 1_000 },
    {
      ...worker("2", "responding", 0),
      kv_blocks_used: 9,
      cache_usage: 0,
      ranks: [{ dp_rank: 0 }, { dp_rank: 1, kv_blocks_used: 3 }],
      seenMs: 0,
    },
  ]);
});

Deno.test("numbers of workers that are not there are refused", () => {
  const view = new FleetView();
  view.replace(state(0, ["1"]));
  const numbers = { id: ["1", "2"], kv_blocks_used: [8, 9] };
  assert.throws(() => view.apply(change(1, { changed: [], numbers, gone: [], not_seen: [] })), {
    name: "RangeError",
    message: "2 values of kv_blocks_used are told of 1 that are there",
  });
});

Deno.test("changes of workers are those of the state and the new ones after it, as many as the server keeps", () => {
  const view = new FleetView();
  const changeOf = (n: number): WorkerChange => ({
    at: time(n),
    id: String(n),
    kind: "back",
    reason: "heard",
  });
  const whole = state(0, []);
  view.replace({ ...whole, targets: [{ ...whole.targets[0]!, changes: [changeOf(1)] }] });
  const ids = () => view.targets[0]!.changes.map(({ id }) => id);
  assert.deepEqual(ids(), ["1"]);
  for (let n = 2; n <= 120; n++) {
    view.apply(change(n, { changed: [], gone: [], not_seen: [], changes: [changeOf(n)] }));
  }
  view.apply(change(121, { changed: [], gone: [], not_seen: [] }));
  assert.deepEqual([ids().length, ids()[0], ids().at(-1)], [100, "21", "120"]);
  view.replace({ ...whole, targets: [{ ...whole.targets[0]!, changes: [changeOf(120)] }] });
  assert.deepEqual(ids(), ["120"]);
});

Deno.test("what a page knew of workers stays when the program is started anew and remembers nothing of it", () => {
  const view = new FleetView();
  const changeOf = (n: number): WorkerChange => ({
    at: time(n),
    id: String(n),
    kind: "back",
    reason: "heard",
  });
  const whole = state(0, []);
  const since = (changes_since: number, ...changes: WorkerChange[]): Fleet => ({
    ...whole,
    targets: [{ ...whole.targets[0]!, changes, changes_since: time(changes_since) }],
  });
  view.replace(since(1, changeOf(2), changeOf(3)));
  view.replace(since(1, changeOf(2), changeOf(3), changeOf(4)));
  const ids = () => view.targets[0]!.changes.map(({ id }) => id);
  assert.deepEqual(ids(), ["2", "3", "4"], "the same program");
  view.replace(since(10, changeOf(11)));
  assert.deepEqual([ids(), view.targets[0]!.head.changes_since], [["2", "3", "4", "11"], time(1)]);
});

Deno.test("an id is shown in hex as Dynamo writes it, without loss; what is no number has none", () => {
  assert.equal(hexOf("18446744073709551615"), "ffffffffffffffff");
  assert.equal(hexOf("<b>"), "");
});

function state(seconds: number, ids: readonly string[]): Fleet {
  const workers = ids.map((id) => worker(id, "responding", seconds));
  return {
    seq: seconds,
    at: time(seconds),
    targets: [{ ...name, up: true, needs_nats: true, aggregate, workers }],
  };
}

function change(
  seconds: number,
  part: Omit<TargetChange, keyof TargetHead>,
): Change {
  return {
    seq: seconds,
    at: time(seconds),
    targets: [{ ...name, up: true, needs_nats: true, aggregate, ...part }],
  };
}

function worker(id: string, state: State, seconds: number) {
  return { id, state, channels: [], last_seen_at: time(seconds) };
}

function time(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
