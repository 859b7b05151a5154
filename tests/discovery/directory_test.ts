import assert from "node:assert/strict";
import { CONNECTED } from "../helpers/instances.ts";
import { Directory } from "../../lib/discovery/directory.ts";
import { releases, releasesText } from "../../lib/dynamo/release.ts";
import { workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import type { KeyStore } from "../../lib/transport/key_store.ts";

const TARGET = { namespace: "ns", component: "c", endpoint: "generate" };
const ID = workerIdFromHex("a1")!;

/** Keys and values of a worker, as its release writes them; `lease` is the worker's. */
interface Key {
  readonly key: string;
  readonly value: object;
}

function instance(fields: object, transport: object): Key {
  const value = { type: "Endpoint", instance_id: Number(ID), transport, ...fields };
  return { key: "v1/instances/ns/c/generate/a1", value };
}

function card(fields: object, ranks = 2): Key {
  const runtime_config = { total_kv_blocks: 64, data_parallel_size: ranks, data_parallel_start_rank: 0 };
  const value = {
    instance_id: Number(ID),
    card_json: { kv_cache_block_size: 16, runtime_config, ...fields },
  };
  return { key: "v1/mdc/ns/c/generate/a1", value };
}

function channel(transport: object, publisher = "a1"): Key {
  const value = {
    type: "EventChannel",
    namespace: "ns",
    component: "",
    topic: "kv_metrics",
    instance_id: parseInt(publisher, 16),
    transport,
  };
  return { key: `v1/event_channels/ns//kv_metrics/${publisher}`, value };
}

const TCP_OF_1_2 = { tcp: "10.0.0.1:1/a1/generate" };
const TCP_OF_1_6 = { tcp: "10.0.0.1:1/a1/ns/c/generate" };
const ON_NATS = { kind: "Nats", config: { subject_prefix: "namespace.ns" } };
const ON_ZMQ = { kind: "Zmq", config: { endpoint: "tcp://10.0.0.1:5000" } };

/** What a store with these keys lists of the worker. */
function listed(keys: readonly Key[], lease: string | undefined = ID) {
  const entries = keys.map(({ key, value }) =>
    [key, { value: JSON.stringify(value), lease, version: "1" }] as const
  );
  const store: KeyStore = {
    kind: "etcd",
    name: "etcd",
    connected: true,
    state: CONNECTED,
    tried: true,
    entries: (prefix) => new Map(entries.filter(([key]) => key.startsWith(prefix))),
    firstKey: () => Promise.resolve(undefined),
    listen: () => ({ [Symbol.dispose]: () => {} }),
  };
  using directory = new Directory(store, TARGET);
  return directory.take()[0]!.membership;
}

const MODERN = { device_type: "cuda", request_plane_codec: "msgpack" };

const NEEDS: readonly [what: string, keys: readonly Key[], needs: boolean][] = [
  ["nobody", [], true],
  ["one that announces no channel, of a release that would", [instance(MODERN, TCP_OF_1_6)], false],
  ["one of 1.2 that announces no channel", [instance({ device_type: "cuda" }, TCP_OF_1_2)], false],
  ["one that publishes on NATS", [instance({ device_type: "cuda" }, TCP_OF_1_2), channel(ON_NATS)], true],
  ["one that publishes on ZMQ", [instance(MODERN, TCP_OF_1_6), channel(ON_ZMQ)], false],
  ["one that takes its requests on NATS", [instance(MODERN, { nats_tcp: "ns_c.generate-a1" })], true],
  ["one that may be older than channels", [instance({}, TCP_OF_1_2)], true],
  [
    "one of 0.6 and before",
    [{ key: "v1/instances/ns/c/generate/a1", value: { instance_id: Number(ID) } }],
    true,
  ],
];

for (const [what, keys, needs] of NEEDS) {
  Deno.test(`NATS is ${needs ? "" : "not "}needed for ${what}`, () => {
    assert.equal(listed(keys).needsNats, needs);
  });
}

Deno.test("a channel without a lease is the worker's whose id it has; then NATS is needed", () => {
  assert.ok(listed([instance({ device_type: "cuda" }, TCP_OF_1_2), channel(ON_NATS)], undefined).needsNats);
});

const UNITS: readonly [
  what: string,
  keys: readonly Key[],
  shown: string | undefined,
  units: string | undefined,
][] = [
  ["agree", [instance(MODERN, TCP_OF_1_6), card({ worker_type: "decode" })], "1.5.1+", "1.5.1+"],
  [
    "are of 1.2 but for the card",
    [instance({ device_type: "cuda" }, TCP_OF_1_2), channel(ON_NATS), card({ worker_type: "decode" })],
    undefined,
    "1.4.2+",
  ],
  [
    "contradict each other beside a card and a channel that agree",
    [instance({ device_type: "cuda" }, TCP_OF_1_6), channel(ON_NATS), card({})],
    undefined,
    "1.0.2-1.2.1",
  ],
  [
    "contradict each other, without a card",
    [instance({ device_type: "cuda" }, TCP_OF_1_6)],
    undefined,
    undefined,
  ],
];

for (const [what, keys, shown, units] of UNITS) {
  Deno.test(`a worker whose keys ${what} has the units of ${units ?? "the newest release"}`, () => {
    const { releases, unitReleases } = listed(keys).workers.get(ID)!;
    assert.deepEqual([releasesText(releases), releasesText(unitReleases)], [shown, units]);
  });
}

Deno.test("a publisher with the worker's own id is of 1.2.1 or before, lease or not", () => {
  const { unitReleases } = listed(
    [instance({ device_type: "cuda" }, TCP_OF_1_2), channel(ON_NATS)],
    undefined,
  )
    .workers.get(ID)!;
  assert.equal(unitReleases, releases("1.1.1", "1.2.1"));
});
