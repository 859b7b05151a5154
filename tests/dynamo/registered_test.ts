import assert from "node:assert/strict";
import { parseAddress } from "../../lib/dynamo/address.ts";
import { eventChannelPrefixes, parseEventChannel } from "../../lib/dynamo/event_channel.ts";
import { parseFileName } from "../../lib/dynamo/file_name.ts";
import { parseInstanceValue } from "../../lib/dynamo/instance_value.ts";
import { modelCardPrefix, parseModelCard } from "../../lib/dynamo/model_card.ts";
import { releases, releasesText } from "../../lib/dynamo/release.ts";
import { workerIdFromDecimal } from "../../lib/dynamo/worker_id.ts";

// Channels

const ID = "ef2f27d69cd15c07";
const DECIMAL = "17235038101677628423";
const SCOPE =
  '"scope":{"kind":"endpoint","endpoint":{"namespace":"ns","component":"c","name":"chat/completions"}}';
const ZMQ = '"transport":{"kind":"Zmq","config":{"endpoint":"tcp://192.0.2.2:45937"}}';
const NATS = '"transport":{"kind":"Nats","config":{"subject_prefix":"namespace.ns"}}';
const OLD_KEY = `v1/event_channels/ns//kv_metrics/${ID}`;
const NEW_KEY = `v1/event_channels/namespace/ns/component/c/endpoint/chat/completions/topic/kv_metrics/${ID}`;

function oldValue(transport: string, fields: Readonly<Record<string, string>> = {}): string {
  return objectText({
    namespace: '"ns"',
    component: '""',
    topic: '"kv_metrics"',
    instance_id: DECIMAL,
    ...fields,
  }, transport);
}

function newValue(transport: string, fields: Readonly<Record<string, string>> = {}): string {
  return objectText({ topic: '"kv_metrics"', instance_id: DECIMAL, ...fields }, SCOPE, transport);
}

function objectText(fields: Readonly<Record<string, string>>, ...more: string[]): string {
  const own = Object.entries(fields).filter(([, text]) => text !== "").map(([name, text]) =>
    `"${name}":${text}`
  );
  return `{${[...own, ...more].join()}}`;
}

Deno.test("a channel's owner is its lease, and without one the publisher before 1.4", () => {
  const owner = (key: string, value: string, lease: string | undefined) =>
    parseEventChannel({ key, value, lease })!.owner;
  assert.equal(owner(OLD_KEY, oldValue(ZMQ), "161"), "161"); // 1.3.1: the publisher is random.
  assert.equal(owner(OLD_KEY, oldValue(ZMQ), undefined), DECIMAL);
  assert.equal(owner(OLD_KEY, oldValue(NATS), "0"), DECIMAL);
  assert.equal(owner(NEW_KEY, newValue(ZMQ), "161"), "161");
  assert.equal(owner(NEW_KEY, newValue(ZMQ), undefined), undefined);
  assert.equal(owner(NEW_KEY, newValue(ZMQ), "0"), undefined);
});

Deno.test("a channel tells the releases of its publisher", () => {
  const releasesOf = (key: string, value: string, lease: string | undefined) =>
    releasesText(parseEventChannel({ key, value, lease })!.releases);
  assert.equal(releasesOf(OLD_KEY, oldValue(NATS), DECIMAL), "0.9.1-1.2.1");
  assert.equal(releasesOf(OLD_KEY, oldValue(ZMQ), "161"), "1.3.1");
  assert.equal(releasesOf(OLD_KEY, oldValue(ZMQ), undefined), "0.9.1-1.3.1");
  assert.equal(releasesOf(NEW_KEY, newValue(ZMQ), "161"), "1.4.2+");
});

Deno.test("a channel keeps names with slashes, and ids beyond 2^63", () => {
  assert.deepEqual(parseEventChannel({ key: NEW_KEY, value: newValue(ZMQ), lease: undefined }), {
    key: NEW_KEY,
    topic: "kv_metrics",
    namespace: "ns",
    component: "c",
    endpoint: "chat/completions",
    owner: undefined,
    publisher: DECIMAL,
    releases: releases("1.4.2"),
    transport: { kind: "zmq", host: "192.0.2.2", port: 45937 },
  });
});

Deno.test("the prefixes of a namespace are of whole names", () => {
  assert.deepEqual(eventChannelPrefixes("ns"), ["v1/event_channels/ns/", "v1/event_channels/namespace/ns/"]);
});

const config = (kind: string, field: string, text: string) =>
  `"transport":{"kind":"${kind}","config":{"${field}":${text}}}`;

const noChannels: readonly (readonly [name: string, key: string, value: string])[] = [
  ["no JSON", OLD_KEY, "hello"],
  ["empty", OLD_KEY, ""],
  ["no object", OLD_KEY, "7"],
  ["a list", OLD_KEY, "[]"],
  ["null", OLD_KEY, "null"],
  ["nested beyond measure", OLD_KEY, "[".repeat(100_000)],
  ["below another prefix", OLD_KEY.replace("channels", "sources"), oldValue(ZMQ)],
  ["under another id", OLD_KEY.slice(0, -1), oldValue(ZMQ)],
  ["under no id", `${OLD_KEY}/`, oldValue(ZMQ)],
  ...["-1", "1.5", `"${DECIMAL}"`, "null", "18446744073709551616", ""].map((text) =>
    [`of the publisher ${text || "nobody"}`, OLD_KEY, oldValue(ZMQ, { instance_id: text })] as const
  ),
  ...['""', "7", "null", ""].map((text) =>
    [`of the topic ${text || "none"}`, OLD_KEY, oldValue(ZMQ, { topic: text })] as const
  ),
  ...['""', "7", "null", ""].map((text) =>
    [`of the namespace ${text || "none"}`, OLD_KEY, oldValue(ZMQ, { namespace: text })] as const
  ),
  ...["7", "null", ""].map((text) =>
    [`of the component ${text || "none"}`, OLD_KEY, oldValue(ZMQ, { component: text })] as const
  ),
  ...[
    "7",
    "null",
    "{}",
    '{"kind":"namespace","namespace":{"name":"ns"}}',
    '{"kind":"endpoint","endpoint":{}}',
  ].map((
    text,
  ) => [`of the scope ${text}`, OLD_KEY, oldValue(ZMQ, { scope: text })] as const),
  ["without transport", OLD_KEY, oldValue('"transport":null')],
  ["of another transport", OLD_KEY, oldValue(config("Tcp", "endpoint", '"tcp://192.0.2.2:1"'))],
  ["of a transport in small letters", OLD_KEY, oldValue(config("zmq", "endpoint", '"tcp://192.0.2.2:1"'))],
  ["without subject", OLD_KEY, oldValue(config("Nats", "endpoint", '"x"'))],
  ...['"a b"', '">"', '"namespace.*"', '"a..b"', '""', "7", "null"].map((text) =>
    [`of the subject ${text}`, OLD_KEY, oldValue(config("Nats", "subject_prefix", text))] as const
  ),
  ...[
    '"ipc:///tmp/x"',
    '"192.0.2.2:1"',
    '"tcp://192.0.2.2"',
    '"tcp://192.0.2.2:0"',
    '"tcp://192.0.2.2:65536"',
    '"tcp://*:5555"',
    '"tcp://:5555"',
    "7",
    "null",
  ].map((text) => [`at ${text}`, OLD_KEY, oldValue(config("Zmq", "endpoint", text))] as const),
];

for (const [name, key, value] of noChannels) {
  Deno.test(`a channel ${name} is none`, () => {
    assert.equal(parseEventChannel({ key, value, lease: "161" }), undefined);
  });
}

Deno.test("a lease that cannot be one owns nothing", () => {
  for (const lease of ["", "-1", "a1", "1.5", "18446744073709551616", "NaN"]) {
    assert.equal(parseEventChannel({ key: NEW_KEY, value: newValue(ZMQ), lease })!.owner, undefined);
  }
});

// Addresses

const addresses: readonly (readonly [text: string, address: ReturnType<typeof parseAddress>])[] = [
  ["192.0.2.2:1", { host: "192.0.2.2", port: 1 }],
  ["node-1.example_2:65535", { host: "node-1.example_2", port: 65535 }],
  ["[2001:db8::1]:80", { host: "2001:db8::1", port: 80 }],
  ["[::ffff:192.0.2.2]:80", { host: "::ffff:192.0.2.2", port: 80 }],
  ["[fe80::1%eth0]:80", { host: "fe80::1%eth0", port: 80 }],
  ["2001:db8::1:80", undefined],
  ["[2001:db8::1]", undefined],
  ["[]:80", undefined],
  ["192.0.2.2", undefined],
  ["192.0.2.2:", undefined],
  ["192.0.2.2:0", undefined],
  ["192.0.2.2:65536", undefined],
  ["192.0.2.2:-1", undefined],
  ["192.0.2.2:1e3", undefined],
  ["192.0.2.2:80/x", undefined],
  ["user@192.0.2.2:80", undefined],
  ["a b:80", undefined],
  ["*:80", undefined],
  [":80", undefined],
  ["", undefined],
];

for (const [text, address] of addresses) {
  Deno.test(`"${text}" is ${address ? "an" : "no"} address`, () =>
    assert.deepEqual(parseAddress(text), address));
}

// Instances

const TCP = '"transport":{"tcp":"192.0.2.2:36129/a1/generate"}';
const LONG = '"transport":{"tcp":"192.0.2.2:36129/a1/ns/c/generate"}';

const instances:
  readonly (readonly [value: string, host: string | undefined, release: string | undefined])[] = [
    [`{"type":"Endpoint",${TCP}}`, "192.0.2.2", "0.8.1-1.1.1"],
    [`{"type":"Endpoint",${TCP},"device_type":"cuda"}`, "192.0.2.2", "1.1.1-1.3.1"],
    [
      `{"type":"Endpoint",${TCP},"device_type":"cuda","request_plane_codec":"msgpack"}`,
      "192.0.2.2",
      "1.3.1-1.5.1",
    ],
    [
      `{"type":"Endpoint",${LONG},"device_type":"cuda","request_plane_codec":"msgpack"}`,
      "192.0.2.2",
      "1.5.1+",
    ],
    ['{"type":"Endpoint","transport":{"tcp":"[2001:db8::1]:36129/a1/g"}}', "[2001:db8::1]", "0.8.1-1.1.1"],
    ['{"type":"Endpoint","transport":{"tcp":"node-1:36129"}}', "node-1", "0.8.1-1.1.1"],
    ['{"type":"Endpoint","transport":{"tcp":"/a1/generate"}}', undefined, "0.8.1-1.1.1"],
    ['{"type":"Endpoint","transport":{"tcp":""}}', undefined, "0.8.1-1.1.1"],
    ['{"type":"Endpoint","transport":{"nats_tcp":"ns_c.generate-a1"}}', undefined, "0.6.1-1.1.1"],
    [
      '{"type":"Endpoint","transport":{"http":"http://192.0.2.2:8888/v1/rpc/generate"},"device_type":"cuda"}',
      "192.0.2.2",
      "1.1.1-1.3.1",
    ],
    ['{"type":"Endpoint","transport":{"http":"http://node-1:10080/else"}}', "node-1", "0.6.1-1.1.1"],
    [
      '{"type":"Endpoint","transport":{"http":"http://[2001:db8::1]:8888/v1"}}',
      "[2001:db8::1]",
      "0.6.1-1.1.1",
    ],
    ['{"type":"Endpoint","transport":{"http":"http://2001:db8::1:8888/v1"}}', "[2001:db8::1]", "0.6.1-1.1.1"],
    ['{"type":"Endpoint","transport":{"http":"https://node-1:8888"}}', "node-1", "0.6.1-1.1.1"],
    ['{"type":"Endpoint","transport":{"http":"http://0.0.0.0:8888/v1"}}', undefined, "0.6.1-1.1.1"],
    ['{"type":"Endpoint","transport":{"http":"http://[::]:8888/v1"}}', undefined, "0.6.1-1.1.1"],
    ['{"type":"Endpoint","transport":{"http":"192.0.2.2:8888"}}', undefined, "0.6.1-1.1.1"],
    ['{"type":"Endpoint","transport":{"http":"http://node-1/v1/rpc/generate"}}', undefined, "0.6.1-1.1.1"],
    ['{"type":"Endpoint","transport":{"http":7}}', undefined, "0.6.1-1.1.1"],
    ['{"type":"Endpoint","transport":{"tcp":"0.0.0.0:36129/a1/g"}}', undefined, "0.8.1-1.1.1"],
    ['{\n  "instance_id": 161,\n  "transport": {\n    "nats_tcp": "x"\n  }\n}', undefined, "0.6.0"],
    ['{"transport":{"tcp":7}}', undefined, "0.6.0"],
    ['{"transport":null}', undefined, "0.6.0"],
    ['{"transport":"tcp"}', undefined, "0.6.0"],
    ["7", undefined, undefined],
    ["hello", undefined, undefined],
    ["", undefined, undefined],
  ];

for (const [value, host, release] of instances) {
  Deno.test(`an instance ${value} is on ${host ?? "no host known"}, of ${release ?? "any release"}`, () => {
    const read = parseInstanceValue(value);
    assert.equal(read.host, host);
    assert.equal(releasesText(read.releases), release);
  });
}

// Model cards

const CARD_KEY = `v1/mdc/ns/c/generate/${ID}`;

function cardValue(card: string, id = DECIMAL): string {
  return `{"type":"Model","instance_id":${id},"card_json":${card}}`;
}

/** Its releases apart. */
function readCard(card: string) {
  const { releases: _, ...read } = parseModelCard({ key: CARD_KEY, value: cardValue(card) })!;
  return read;
}

const BARE = { worker: DECIMAL, ranks: 1 };

Deno.test("a card says what the worker has", () => {
  const card = `{"display_name":"tiny","kv_cache_block_size":16,"worker_type":"decode","model_type":"Chat",` +
    `"runtime_config":{"total_kv_blocks":512,"max_num_seqs":4,"data_parallel_size":2,"data_parallel_start_rank":6},` +
    `"model_info":{"hf_config_json":{"path":"http://192.0.2.2:28081/v1/metadata/ns/c/generate/tiny/_base/config.json"}}}`;
  assert.equal(
    modelCardPrefix({ namespace: "ns", component: "c", endpoint: "generate" }),
    "v1/mdc/ns/c/generate/",
  );
  assert.deepEqual(readCard(card), {
    worker: DECIMAL,
    ranks: 2,
    startRank: 6,
    blockSize: 16,
    totalBlocks: 512,
    maxSeqs: 4,
    model: "tiny",
    workerType: "decode",
    metricsUrl: "http://192.0.2.2:28081/metrics",
  });
});

for (
  const [card, release] of [
    ['{"runtime_config":{"data_parallel_size":1}}', "0.6.0-0.9.1"],
    ['{"runtime_config":{"data_parallel_start_rank":0}}', "1.0.2-1.3.1"],
    ['{"worker_type":"aggregated","runtime_config":{"data_parallel_start_rank":0}}', "1.4.2+"],
  ] as const
) {
  Deno.test(`a card ${card} is of ${release}`, () => {
    const read = parseModelCard({ key: CARD_KEY, value: cardValue(card) })!;
    assert.equal(releasesText(read.releases), release);
  });
}

const noCards: readonly (readonly [name: string, key: string, value: string])[] = [
  ["no JSON", CARD_KEY, "hello"],
  ["empty", CARD_KEY, ""],
  ["a list", CARD_KEY, "[]"],
  ["without card_json", CARD_KEY, `{"instance_id":${DECIMAL}}`],
  ["of an adapter", `${CARD_KEY}/my-lora`, cardValue("{}")],
  ["of an adapter named like an id", `${CARD_KEY}/a1`, cardValue("{}")],
  ["below another prefix", CARD_KEY.replace("mdc", "instances"), cardValue("{}")],
  ...["-1", "1.5", `"${DECIMAL}"`, "null", "18446744073709551616"].map((id) =>
    [`of the worker ${id}`, CARD_KEY, cardValue("{}", id)] as const
  ),
];

for (const [name, key, value] of noCards) {
  Deno.test(`a card ${name} is none`, () => assert.equal(parseModelCard({ key, value }), undefined));
}

Deno.test("a field of a card that is missing or of the wrong kind is absent", () => {
  const parts = [
    "runtime_config",
    "model_info",
    "display_name",
    "kv_cache_block_size",
    "worker_type",
    "model_type",
  ];
  for (const wrong of ["null", "7.5", "-1", '""', "[]", "{}", "true", "18446744073709551616", "1e400"]) {
    for (const part of parts) assert.deepEqual(readCard(`{"${part}":${wrong}}`), BARE, `${part} ${wrong}`);
    for (
      const field of ["total_kv_blocks", "max_num_seqs", "data_parallel_size", "data_parallel_start_rank"]
    ) {
      assert.deepEqual(readCard(`{"runtime_config":{"${field}":${wrong}}}`), BARE, `${field} ${wrong}`);
    }
    assert.deepEqual(readCard(`{"model_info":{"hf_config_json":${wrong}}}`), BARE);
    assert.deepEqual(readCard(`{"model_info":{"hf_config_json":{"path":${wrong}}}}`), BARE);
    assert.deepEqual(readCard(wrong), BARE);
  }
  assert.deepEqual(readCard(`{"runtime_config":{"total_kv_blocks":18446744073709551615}}`), {
    ...BARE,
    totalBlocks: 2 ** 64,
  });
});

Deno.test("a card has at least one rank and no more than can be walked", () => {
  for (const [size, ranks] of [["0", 1], ["1", 1], ["4096", 4096], ["4097", 1], ["4294967295", 1]] as const) {
    assert.equal(readCard(`{"runtime_config":{"data_parallel_size":${size}}}`)!.ranks, ranks);
  }
});

const types: readonly (readonly [card: string, type: string | undefined])[] = [
  ['{"worker_type":"prefill","model_type":""}', "prefill"],
  ['{"worker_type":"decode","model_type":"Chat | Completions"}', "decode"],
  ['{"worker_type":"aggregated"}', "aggregated"],
  ['{"model_type":"Prefill"}', "prefill"],
  ['{"model_type":"Chat | Completions"}', undefined],
  ['{"model_type":""}', undefined],
  ['{"worker_type":"encode"}', undefined],
  ['{"worker_type":7}', undefined],
  ["{}", undefined],
];

for (const [card, type] of types) {
  Deno.test(`the card ${card} is of ${type ?? "no known"} type`, () => {
    assert.equal(readCard(card)!.workerType, type);
  });
}

const paths: readonly (readonly [path: string, url: string | undefined])[] = [
  ["http://192.0.2.2:28081/v1/metadata/ns/c/e/tiny/_base/config.json", "http://192.0.2.2:28081/metrics"],
  ["http://[2001:db8::1]:9090/v1/metadata/x", "http://[2001:db8::1]:9090/metrics"],
  ["https://node-1:9090/v1/metadata/x", "https://node-1:9090/metrics"],
  ["/models/tiny/config.json", undefined],
  ["http://192.0.2.2:28081/models/config.json", undefined],
  ["http://192.0.2.2:28081/", undefined],
  ["http://192.0.2.2:99999/v1/metadata/x", undefined],
  ["http://user:secret@192.0.2.2:80/v1/metadata/x", undefined],
  ["http:///v1/metadata/x", undefined],
  ["http://a b/v1/metadata/x", undefined],
  ["file:///v1/metadata/x", undefined],
  ["x http://192.0.2.2:80/v1/metadata/x", undefined],
  ["hf://org/model/config.json", undefined],
];

for (const [path, url] of paths) {
  Deno.test(`a card whose config is at ${path} has ${url ?? "no page"}`, () => {
    const card = JSON.stringify({ model_info: { hf_config_json: { path } } });
    assert.equal(readCard(card)!.metricsUrl, url);
  });
}

// File names and decimal ids

const files: readonly (readonly [path: string, key: string | undefined])[] = [
  ["v1/mdc/ns%2Fc%2Fgenerate%2Fa1", "v1/mdc/ns/c/generate/a1"],
  ["v1/event_channels/ns%2F%2Fkv%5Fmetrics%2Fa1", "v1/event_channels/ns//kv_metrics/a1"],
  ["v1/instances/%C3%A4%2Fa%25b", "v1/instances/ä/a%b"],
  ["v1/mdc/plain", "v1/mdc/plain"],
  ["v1/mdc/%", undefined],
  ["v1/mdc/%2", undefined],
  ["v1/mdc/%zz", undefined],
  ["v1/mdc/%ff", undefined],
  ["v1/mdc/", undefined],
  ["v1/mdc", undefined],
  ["v1//x", undefined],
  ["/v1/mdc", undefined],
  ["v1/mdc/a/b", undefined],
  ["", undefined],
];

for (const [path, key] of files) {
  Deno.test(`the file "${path}" stands for ${key ?? "no key"}`, () => assert.equal(parseFileName(path), key));
}

Deno.test("decimal text names a worker while it is an unsigned 64-bit integer", () => {
  assert.equal(workerIdFromDecimal("18446744073709551615"), "18446744073709551615");
  assert.equal(workerIdFromDecimal("0"), "0");
  assert.equal(workerIdFromDecimal("007"), "7");
  for (
    const wrong of ["18446744073709551616", "", "-1", "+1", "1.0", "1e3", " 1", "a1", "0x1", "1".repeat(21)]
  ) {
    assert.equal(workerIdFromDecimal(wrong), undefined, wrong);
  }
});
