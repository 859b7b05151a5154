import assert from "node:assert/strict";
import type { ModelCard } from "../../lib/dynamo/model_card.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { needsHosts, pageAddresses } from "../../lib/discovery/page_addresses.ts";

const A = "161" as WorkerId;
const B = "18446744073709551615" as WorkerId;

/** Two workers, of which the first has a card with an address; the second says its host. */
function addresses(...templates: string[]): [string, WorkerId[]][] {
  const card: ModelCard = { worker: A, ranks: 1, startRank: 0, metricsUrl: "http://a:1/metrics" };
  const membership = {
    known: true,
    workers: new Set([A, B]),
    cards: new Map([[A, card]]),
    withChannel: new Set<WorkerId>(),
    needsNats: false,
  };
  const found = pageAddresses({ membership, hosts: new Map([[B, "[fe80::1]"]]) }, templates);
  return [...found].map(([url, workers]) => [url, [...workers]]);
}

const OF_CARD: [string, WorkerId[]] = ["http://a:1/metrics", [A]];

const CASES: readonly [templates: readonly string[], expected: [string, WorkerId[]][]][] = [
  [[], []],
  [["http://{host}:8081/metrics"], [["http://[fe80::1]:8081/metrics", [B]]]],
  [["http://b/{id}/{id}"], [["http://b/ffffffffffffffff/ffffffffffffffff", [B]]]],
  [["http://b/metrics", "http://c/metrics"], [["http://b/metrics", [B]], ["http://c/metrics", [B]]]],
  [["http://{host}"], [["http://[fe80::1]", [B]]]],
  [["http://{host}{host}/"], []],
];

for (const [templates, expected] of CASES) {
  Deno.test(`a card's address counts, and for others ${JSON.stringify(templates)}`, () => {
    assert.deepEqual(addresses(...templates), [OF_CARD, ...expected]);
  });
}

Deno.test("a worker that says no host has no address with a host", () => {
  const membership = {
    known: true,
    workers: new Set([A, B]),
    cards: new Map(),
    withChannel: new Set<WorkerId>(),
    needsNats: false,
  };
  assert.equal(pageAddresses({ membership, hosts: new Map() }, ["http://{host}/"]).size, 0);
  const fixed = pageAddresses({ membership, hosts: new Map() }, ["http://b/"]);
  assert.deepEqual([...fixed], [["http://b/", new Set([A, B])]]);
});

Deno.test("instances' values are needed for hosts alone", () => {
  assert.deepEqual([needsHosts([]), needsHosts(["http://b/{id}"]), needsHosts(["http://{host}/"])], [
    false,
    false,
    true,
  ]);
});
