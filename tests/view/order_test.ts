import assert from "node:assert/strict";
import type { Row } from "../../lib/view/fleet_view.ts";
import { arrange, BY_ATTENTION, type Filter, type Order } from "../../lib/view/order.ts";
import { searchText } from "../../lib/view/filter.ts";
import type { Worker } from "../../lib/exposition/api_v1.ts";

const ALL: Filter = { text: "", state: undefined };

const rows = [
  row(
    {
      id: "10",
      state: "responding",
      kv_blocks_used: 50,
      kv_blocks_total: 100,
      requests_waiting: 3,
      requests_in_flight: 4,
    },
    5_000,
  ),
  row({ id: "9", state: "responding", kv_blocks_used: 90, kv_blocks_total: 100, model: "Qwen" }, 9_000),
  row({ id: "18446744073709551615", state: "silent" }, 1_000),
  row(
    { id: "11", state: "no_data", endpoints: [{ name: "a", errors: 2 }, { name: "b", errors: 1 }] },
    undefined,
  ),
];

const ORDERS: readonly { order: Order; ids: string[] }[] = [
  { order: BY_ATTENTION, ids: ["18446744073709551615", "11", "9", "10"] },
  { order: { key: "worker", descending: false }, ids: ["9", "10", "11", "18446744073709551615"] },
  { order: { key: "worker", descending: true }, ids: ["18446744073709551615", "11", "10", "9"] },
  { order: { key: "kv", descending: true }, ids: ["9", "10", "11", "18446744073709551615"] },
  { order: { key: "kv", descending: false }, ids: ["10", "9", "11", "18446744073709551615"] },
  { order: { key: "waiting", descending: true }, ids: ["10", "9", "11", "18446744073709551615"] },
  { order: { key: "flight", descending: true }, ids: ["10", "9", "11", "18446744073709551615"] },
  { order: { key: "errors", descending: true }, ids: ["11", "9", "10", "18446744073709551615"] },
  { order: { key: "age", descending: true }, ids: ["18446744073709551615", "10", "9", "11"] },
];

for (const { order, ids } of ORDERS) {
  Deno.test(`rows by ${order.key}, ${order.descending ? "descending" : "ascending"}; those without come last`, () => {
    assert.deepEqual(idsOf(arrange(rows, order, ALL)), ids);
  });
}

Deno.test("by attention the stuck come after the silent, then those with silent ranks; more use does not beat that", () => {
  const used = (blocks: number) => ({ kv_blocks_used: blocks, kv_blocks_total: 100 });
  const ranks = [{ dp_rank: 0, silent: false }, { dp_rank: 1, silent: true }];
  const troubled = [
    row({ id: "1", state: "responding", ...used(99) }, 0),
    row({ id: "2", state: "undecodable" }, 0),
    row({ id: "3", state: "responding", ...used(1), ranks }, 0),
    row({ id: "4", state: "responding", ...used(2), stuck_since: "2026-01-01T00:00:00Z" }, 0),
    row({ id: "5", state: "silent", stuck_since: "2026-01-01T00:00:00Z" }, 0),
    row({ id: "6", state: "responding", ...used(98), ranks: ranks.slice(0, 1) }, 0),
  ];
  assert.deepEqual(idsOf(arrange(troubled, BY_ATTENTION, ALL)), ["5", "4", "3", "2", "1", "6"]);
});

const FILTERS: readonly { filter: Filter; ids: string[] }[] = [
  { filter: { text: "qwen", state: undefined }, ids: ["9"] },
  { filter: { text: "1", state: "responding" }, ids: ["10"] },
  { filter: { text: " 5161  18446 ", state: undefined }, ids: ["18446744073709551615"] },
  { filter: { text: "", state: "silent" }, ids: ["18446744073709551615"] },
  { filter: { text: "no data", state: undefined }, ids: ["11"] },
  { filter: { text: "ffffffffffffffff", state: undefined }, ids: ["18446744073709551615"] },
  { filter: { text: "nobody", state: undefined }, ids: [] },
];

for (const { filter, ids } of FILTERS) {
  Deno.test(`the filter ${JSON.stringify(filter)} leaves ${ids.length}`, () => {
    assert.deepEqual(idsOf(arrange(rows, BY_ATTENTION, filter)), ids);
  });
}

function row(worker: Omit<Worker, "channels">, seenMs: number | undefined): Row {
  return {
    worker: { channels: [], ...worker },
    seenMs,
    haystack: searchText({ channels: [], ...worker }),
  };
}

function idsOf(rows: readonly Row[]): string[] {
  return rows.map(({ worker: { id } }) => id);
}
