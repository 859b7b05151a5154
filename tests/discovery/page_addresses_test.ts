import assert from "node:assert/strict";
import type { ModelCard } from "../../lib/dynamo/model_card.ts";
import { ANY_RELEASE } from "../../lib/dynamo/release.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { NO_REGISTRATION } from "../../lib/discovery/membership.ts";
import { pageAddresses } from "../../lib/discovery/page_addresses.ts";

const A = "161" as WorkerId;
const B = "18446744073709551615" as WorkerId;

/** Two workers, of which the first has a card with an address; the second says its host. */
function addresses(...templates: string[]): [string, WorkerId[]][] {
  const card: ModelCard = { worker: A, ranks: 1, releases: ANY_RELEASE, metricsUrl: "http://a:1/metrics" };
  const workers = new Map([
    [A, { ...NO_REGISTRATION, card }],
    [B, { ...NO_REGISTRATION, host: "[fe80::1]" }],
  ]);
  const found = pageAddresses({ workers }, { templates, targets: [] });
  return [...found.pages].map(([url, { workers }]) => [url, [...workers]]);
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
  const workers = new Map([[A, NO_REGISTRATION], [B, NO_REGISTRATION]]);
  const none = pageAddresses({ workers }, { templates: ["http://{host}/"], targets: [] });
  assert.deepEqual([none.pages.size, none.unaddressed], [0, [A, B]]);
  const fixed = pageAddresses({ workers }, { templates: ["http://b/"], targets: [] });
  assert.deepEqual([...fixed.pages], [["http://b/", { workers: new Set([A, B]) }]]);
  assert.deepEqual(fixed.unaddressed, []);
});

Deno.test("a listed page is of the worker that it names, else of those on its host, else of any", () => {
  const workers = new Map([
    [A, { ...NO_REGISTRATION, host: "a" }],
    [B, { ...NO_REGISTRATION, host: "b" }],
  ]);
  const target = (host: string, worker?: WorkerId) => ({ url: `http://${host}/`, host, worker });
  const targets = [target("x", A), target("b"), target("y"), target("z", "7" as WorkerId)];
  assert.deepEqual([...pageAddresses({ workers }, { templates: [], targets }).pages], [
    ["http://x/", { workers: new Set([A]), listedAs: A }],
    ["http://b/", { workers: new Set([B]) }],
    ["http://y/", { workers: new Set([A, B]) }],
  ]);
});

Deno.test("a page that the list names for two workers is of neither by the list, and who is listed has an address", () => {
  const workers = new Map([[A, NO_REGISTRATION], [B, NO_REGISTRATION]]);
  const target = (worker: WorkerId) => ({ url: "http://x/", host: "x", worker });
  const both = pageAddresses({ workers }, { templates: ["http://{host}/"], targets: [A, B].map(target) });
  assert.deepEqual([...both.pages], [["http://x/", { workers: new Set([A, B]) }]]);
  assert.deepEqual(both.unaddressed, []);
  const one = pageAddresses({ workers }, { templates: ["http://{host}/"], targets: [target(A)] });
  assert.deepEqual(one.unaddressed, [B]);
});

Deno.test("a worker has an address if one of several templates gives it one", () => {
  const workers = new Map([[A, NO_REGISTRATION]]);
  const templates = ["http://{host}:8081/metrics", "http://gateway/{id}/metrics"];
  const { pages, unaddressed } = pageAddresses({ workers }, { templates, targets: [] });
  assert.deepEqual([[...pages.keys()], unaddressed], [["http://gateway/a1/metrics"], []]);
});
