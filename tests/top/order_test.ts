import assert from "node:assert/strict";
import { type Order, ordered, SORT_KEYS } from "../../lib/top/order.ts";
import type { Worker } from "../../lib/exposition/api_v1.ts";
import { loaded, workerOf } from "./fleet_fixture.ts";

const workers = [
  loaded("1", 50, 5, { requests_waiting: 9, requests_in_flight: 2, model: "Llama-3", worker_type: "decode" }),
  workerOf("2", { state: "silent", last_seen_at: "2026-01-02T03:03:00.000Z" }),
  loaded("30", 90, 1, {
    requests_in_flight: 7,
    endpoints: [{ name: "a", requests: 5, errors: 1 }, { name: "b", requests: 1 }],
  }),
  loaded("31", 10, 9, { endpoints: [{ name: "a", requests: 7, errors: 0 }], release: "0.7.1" }),
  { id: "40", state: "discovered", channels: [] } as const,
];

function ids(order: Partial<Order>, of: readonly Worker[] = workers): string {
  const shown = ordered(of, { sort: "worker", isReversed: false, filter: "", ...order });
  return shown.map(({ id }) => id).join(" ");
}

Deno.test("workers are ordered by each key, what needs a look first, and back; the unknown stay last", () => {
  const rows: Partial<Record<Order["sort"], [order: string, reversed: string]>> = {
    worker: ["1 2 30 31 40", "40 31 30 2 1"],
    state: ["2 40 30 1 31", "30 1 31 40 2"],
    kv: ["30 1 31 2 40", "31 1 30 2 40"],
    slots: ["31 1 30 2 40", "30 1 31 2 40"],
    waiting: ["1 30 31 2 40", "30 31 1 2 40"],
    flight: ["30 1 2 31 40", "1 30 2 31 40"],
    age: ["2 1 30 31 40", "1 30 31 2 40"],
    requests: ["31 30 1 2 40", "30 31 1 2 40"],
    errors: ["30 31 1 2 40", "31 30 1 2 40"],
    model: ["1 2 30 31 40", "1 2 30 31 40"],
  };
  assert.deepEqual(SORT_KEYS, Object.keys(rows));
  for (const sort of SORT_KEYS) {
    assert.deepEqual([ids({ sort }), ids({ sort, isReversed: true })], rows[sort], sort);
  }
});

Deno.test("by state the stuck come after the silent, then those with silent ranks, then all others", () => {
  const since = "2026-01-02T03:03:45.000Z";
  const rank = { dp_rank: 0, silent: false };
  const troubled = [
    workerOf("1"),
    workerOf("2", { state: "undecodable" }),
    workerOf("3", { ranks: [rank, { dp_rank: 1, silent: true }] }),
    workerOf("4", { stuck_since: since, requests_in_flight: 8 }),
    workerOf("5", { state: "silent" }),
    workerOf("6", { ranks: [rank, { dp_rank: 1 }], ranks_expected: 8, ranks_heard: 2 }),
  ];
  assert.equal(ids({ sort: "state" }, troubled), "5 4 3 2 1 6");
  assert.equal(ids({ filter: "stuck" }, troubled), "4");
});

Deno.test("a filter looks at id, state, type, model and release, for all its words, in any case", () => {
  const rows: [filter: string, shown: string][] = [
    ["", "1 2 30 31 40"],
    ["  ", "1 2 30 31 40"],
    ["3", "1 30 31"],
    ["SILENT", "2"],
    ["1e", "30"], // 30 as Dynamo writes it.
    ["llama", "1"],
    ["decode", "1"],
    ["0.7", "31"],
    ["resp 3", "1 30 31"],
    ["resp 30", "30"],
    [".*", ""],
  ];
  for (const [filter, shown] of rows) assert.equal(ids({ filter }), shown, filter);
});
