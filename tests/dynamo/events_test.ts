import { encode } from "@msgpack/msgpack";
import assert from "node:assert/strict";
import { type EventEnvelope, parseEnvelope, parseZmqFrames } from "../../lib/dynamo/event_envelope.ts";
import { EventError, type EventProblem } from "../../lib/dynamo/event_error.ts";
import { FORWARD_PASS_EVENT, parseForwardPass } from "../../lib/dynamo/forward_pass.ts";
import { HIT_RATE_EVENT, parseHitRate, parseHitRateEnvelope } from "../../lib/dynamo/hit_rate.ts";
import { KV_METRICS_EVENT, parseKvMetrics, parseKvMetricsJson } from "../../lib/dynamo/kv_metrics.ts";
import { decodeMsgpack } from "../../lib/dynamo/msgpack.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";

const WORKER = 17235038101677628423n;
const ROUTER = 2n ** 64n - 1n;

type Fields = Readonly<Record<string, unknown>>;

function msgpack(value: unknown): Uint8Array {
  return encode(value, { useBigInt64: true });
}

/** An envelope around a payload as MessagePack. */
function envelope(topic: string, payload: unknown, publisher: bigint = WORKER): EventEnvelope {
  return {
    publisher: String(publisher) as WorkerId,
    sequence: 0,
    topic,
    payload: msgpack(payload),
  };
}

function throwsEventError(run: () => unknown, problem: EventProblem, message: string): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof EventError, String(error));
    assert.deepEqual([error.problem, error.message], [problem, message]);
    return true;
  });
}

/** What no unsigned integer of 64 bits is, by name. */
const NO_COUNTS: Readonly<Record<string, unknown>> = {
  "negative": -1,
  "negative of 64 bits": -1n,
  "a fraction": 1.5,
  "text": "7",
  "NaN": NaN,
  "infinite": Infinity,
  "beyond 2^64 as a float": 2 ** 65,
  "true": true,
  "a list": [7],
  "a map": {},
  "binary": new Uint8Array([7]),
  "a time": new Date(0),
};

// MessagePack

const malformed: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ["nothing", new Uint8Array()],
  ["JSON", new TextEncoder().encode('{"worker_id":1}')],
  ["the byte that means nothing", Uint8Array.of(0xc1)],
  ["a byte too much", Uint8Array.of(0x01, 0x01)],
  ["a map without its last value", Uint8Array.of(0x81, 0xa1, 0x61)],
  ["a text that claims 4 GB", Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff)],
  ["binary that claims 4 GB", Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff)],
  ["a list that claims 4 billion", Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
  ["a map that claims 4 billion", Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff)],
  ["a map with the key __proto__", msgpack(JSON.parse('{"__proto__":1}'))],
  ["a map with a list for a key", Uint8Array.of(0x81, 0x90, 0x01)],
  ["lists in lists that never end", new Uint8Array(65_536).fill(0x91)],
  ["maps in maps that never end", new Uint8Array(65_536).map((_, at) => at % 2 === 0 ? 0x81 : 0x01)],
];

for (const [name, bytes] of malformed) {
  Deno.test(`${name} is no MessagePack`, () => {
    throwsEventError(() => decodeMsgpack(bytes), "not_msgpack", "not MessagePack");
  });
}

Deno.test("more than 64 KiB are not decoded", () => {
  assert.equal((decodeMsgpack(msgpack(new Uint8Array(65_533))) as Uint8Array).length, 65_533);
  throwsEventError(
    () => decodeMsgpack(msgpack(new Uint8Array(65_536))),
    "not_msgpack",
    "65541 bytes, more than 65536",
  );
});

Deno.test("integers of 64 bits keep their digits", () => {
  const integers = [0, 127, 2 ** 32 - 1, 2n ** 53n + 1n, 2n ** 64n - 1n, -(2n ** 63n)];
  for (const integer of integers) assert.equal(decodeMsgpack(msgpack(integer)), integer);
});

Deno.test("a list of more than 64 is not decoded, whatever the message holds", () => {
  const list = (length: number) => msgpack(new Array(length).fill(0));
  assert.equal((decodeMsgpack(list(64)) as unknown[]).length, 64);
  throwsEventError(() => decodeMsgpack(list(65)), "not_msgpack", "not MessagePack");
});

// The envelope

const ENVELOPE: Fields = {
  publisher_id: ROUTER,
  sequence: 3,
  published_at: 1795503624581n,
  topic: "kv_metrics",
  payload: new Uint8Array([0xc0]),
};

Deno.test("an envelope says who published what", () => {
  assert.deepEqual(parseEnvelope(msgpack({ ...ENVELOPE, later: "field" })), {
    publisher: "18446744073709551615",
    sequence: 3,
    topic: "kv_metrics",
    payload: new Uint8Array([0xc0]),
  });
});

const ENVELOPE_MESSAGES: Readonly<Record<string, string>> = {
  publisher_id: "publisher_id is no unsigned 64-bit integer",
  sequence: "sequence is no unsigned integer",
};

for (const [field, message] of Object.entries(ENVELOPE_MESSAGES)) {
  for (const [name, wrong] of Object.entries({ ...NO_COUNTS, "missing": undefined, "null": null })) {
    Deno.test(`an envelope whose ${field} is ${name} is refused`, () => {
      const bytes = msgpack(without(ENVELOPE, field, wrong));
      throwsEventError(() => parseEnvelope(bytes), "fields", message);
    });
  }
}

const wrongEnvelopes: readonly (readonly [fields: unknown, message: string])[] = [
  [{ ...ENVELOPE, topic: 7 }, "topic is no text"],
  [{ ...ENVELOPE, topic: null }, "topic is no text"],
  [{ ...ENVELOPE, payload: "text" }, "payload is not binary"],
  [{ ...ENVELOPE, payload: [1, 2] }, "payload is not binary"],
  [{ ...ENVELOPE, payload: null }, "payload is not binary"],
  [without(ENVELOPE, "payload", undefined), "payload is not binary"],
  [{}, "publisher_id is no unsigned 64-bit integer"],
  [[ENVELOPE], "publisher_id is no unsigned 64-bit integer"],
  [7, "not an object"],
  ["text", "not an object"],
  [null, "not an object"],
];

for (const [value, message] of wrongEnvelopes) {
  Deno.test(`an envelope is refused: ${message} (${typeof value} ${Object.keys(Object(value)).length})`, () => {
    throwsEventError(() => parseEnvelope(msgpack(value)), "fields", message);
  });
}

Deno.test("ZMQ frames are refused unless they are four and the last one is what it says", () => {
  const inner = msgpack(ENVELOPE);
  const last = Uint8Array.of(1, 0, 0, 0, inner.length, ...inner);
  const [topic, publisher, sequence] = [Uint8Array.of(0x6b), new Uint8Array(8), new Uint8Array(8)];
  assert.equal(parseZmqFrames([topic, publisher, sequence, last]).sequence, 3);

  const n = inner.length;
  const cases: readonly (readonly [frames: readonly Uint8Array[], message: string])[] = [
    [[], "0 frames, not 4"],
    [[topic, publisher, last], "3 frames, not 4"],
    [[topic, publisher, sequence, last, last], "5 frames, not 4"],
    [[topic, publisher, sequence, new Uint8Array()], "the last frame does not begin with 1 and a length"],
    [[topic, publisher, sequence, last.slice(0, 4)], "the last frame does not begin with 1 and a length"],
    [[topic, publisher, sequence, last.with(0, 2)], "the last frame does not begin with 1 and a length"],
    [[topic, publisher, sequence, last.slice(0, -1)], `the last frame holds ${n - 1} bytes, not ${n}`],
    [
      [topic, publisher, sequence, Uint8Array.of(...last, 0)],
      `the last frame holds ${n + 1} bytes, not ${n}`,
    ],
    [
      [topic, publisher, sequence, last.with(1, 0xff)],
      `the last frame holds ${n} bytes, not ${0xff00_0000 + n}`,
    ],
    [[topic, publisher, sequence, Uint8Array.of(1, 0, 0, 0, 1, 0xc1)], "not MessagePack"],
  ];
  for (const [frames, message] of cases) {
    throwsEventError(() => parseZmqFrames(frames), "not_msgpack", message);
  }
});

Deno.test("a frame that is a view into a larger buffer is read where it begins", () => {
  const inner = msgpack(ENVELOPE);
  const buffer = Uint8Array.of(9, 9, 9, 1, 0, 0, 0, inner.length, ...inner);
  const empty = new Uint8Array();
  assert.equal(parseZmqFrames([empty, empty, empty, buffer.subarray(3)]).topic, "kv_metrics");
});

// kv_metrics

const id = String(WORKER);
const said = { worker: id, dpRank: 1 };
const estimated = { kind: "router", activeDecodeBlocks: 40, activePrefillTokens: 7 };

const kvMetrics: readonly (readonly [name: string, fields: Fields, publisher: bigint, expected: unknown])[] =
  [
    ["0.9.1's worker", { active_decode_blocks: 40, active_prefill_tokens: null }, WORKER, {
      kind: "own",
      usedBlocks: 40,
    }],
    ["0.9.1's router", { active_decode_blocks: 40, active_prefill_tokens: 7 }, ROUTER, {
      ...estimated,
      router: String(ROUTER),
    }],
    ["0.9.1's router without tokens", { active_decode_blocks: 40, active_prefill_tokens: null }, ROUTER, {
      ...estimated,
      router: String(ROUTER),
      activePrefillTokens: undefined,
    }],
    ["a later worker", { active_decode_blocks: null, active_prefill_tokens: null, kv_used_blocks: 60 }, 1n, {
      kind: "own",
      usedBlocks: 60,
    }],
    [
      "a later Python worker",
      { active_decode_blocks: 60, active_prefill_tokens: null, kv_used_blocks: 60 },
      1n,
      {
        kind: "own",
        usedBlocks: 60,
      },
    ],
    ["a later router", { active_decode_blocks: 40, active_prefill_tokens: 7, kv_used_blocks: null }, 1n, {
      ...estimated,
      router: "1",
    }],
    [
      "a later router with a worker's id",
      { active_decode_blocks: 40, active_prefill_tokens: 7, kv_used_blocks: null },
      WORKER,
      { ...estimated, router: id },
    ],
    ["a worker with nothing in use", { kv_used_blocks: 0 }, 1n, { kind: "own", usedBlocks: 0 }],
    ["a worker with 2^64 - 1 in use", { kv_used_blocks: 2n ** 64n - 1n }, 1n, {
      kind: "own",
      usedBlocks: 2 ** 64,
    }],
  ];

for (const [name, fields, publisher, expected] of kvMetrics) {
  Deno.test(`kv_metrics of ${name} are told from others`, () => {
    const payload = { worker_id: WORKER, dp_rank: 1, ...fields };
    assert.deepEqual(parseKvMetrics(envelope(KV_METRICS_EVENT, payload, publisher)), {
      ...said,
      ...expected as object,
    });
  });
}

Deno.test("kv_metrics of another topic, or without their blocks, are refused", () => {
  const payload = { worker_id: WORKER, dp_rank: 0, active_decode_blocks: null, active_prefill_tokens: null };
  throwsEventError(
    () => parseKvMetrics(envelope("kv_metrics2", payload)),
    "fields",
    "topic is not kv_metrics",
  );
  throwsEventError(
    () => parseKvMetrics(envelope(KV_METRICS_EVENT, payload)),
    "fields",
    "active_decode_blocks is no unsigned integer",
  );
  throwsEventError(() => parseKvMetrics(envelope(KV_METRICS_EVENT, 7)), "fields", "not an object");
  throwsEventError(
    () => parseKvMetrics({ ...envelope(KV_METRICS_EVENT, payload), payload: new Uint8Array() }),
    "not_msgpack",
    "not MessagePack",
  );
});

const KV_PAYLOAD: Fields = {
  worker_id: WORKER,
  dp_rank: 0,
  active_decode_blocks: 1,
  active_prefill_tokens: 1,
  kv_used_blocks: 1,
};

const KV_MESSAGES: Readonly<Record<string, string>> = {
  worker_id: "worker_id is no unsigned 64-bit integer",
  dp_rank: "dp_rank is no unsigned 32-bit integer",
  active_decode_blocks: "active_decode_blocks is no unsigned integer",
  active_prefill_tokens: "active_prefill_tokens is no unsigned integer",
  kv_used_blocks: "kv_used_blocks is no unsigned integer",
};

for (const [field, message] of Object.entries(KV_MESSAGES)) {
  const needed = field === "worker_id" ? { "missing": undefined, "null": null } : {};
  const rank = field === "dp_rank" ? { "null": null, "beyond 2^32": 2 ** 32 } : {};
  for (const [name, wrong] of Object.entries({ ...NO_COUNTS, ...needed, ...rank })) {
    Deno.test(`kv_metrics whose ${field} is ${name} are refused`, () => {
      const payload = without(KV_PAYLOAD, field, wrong);
      throwsEventError(() => parseKvMetrics(envelope(KV_METRICS_EVENT, payload)), "fields", message);
    });
  }
}

Deno.test("a rank that is missing is 0", () => {
  const payload = without(KV_PAYLOAD, "dp_rank", undefined);
  assert.equal(parseKvMetrics(envelope(KV_METRICS_EVENT, payload)).dpRank, 0);
  assert.equal(parseKvMetricsJson('{"worker_id":1,"active_decode_blocks":4}').dpRank, 0);
});

// kv_metrics as JSON

const NESTED = '{"worker_stats":{"data_parallel_rank":3,"request_active_slots":1,"request_total_slots":8,' +
  '"num_requests_waiting":0},"kv_stats":{"kv_active_blocks":4,"kv_total_blocks":9}}';

const kvJson: readonly (readonly [text: string, expected: unknown])[] = [
  [`{"worker_id":${id},"data":${NESTED}}`, {
    worker: id,
    dpRank: 3,
    kind: "load",
    load: {
      shape: "nested",
      activeSlots: 1,
      totalSlots: 8,
      activeBlocks: 4,
      totalBlocks: 9,
      requestsWaiting: 0,
      dpRank: 3,
    },
  }],
  [`{"worker_id":${id},"dp_rank":1,"active_decode_blocks":40,"active_prefill_tokens":null}`, {
    ...said,
    kind: "own",
    usedBlocks: 40,
  }],
  [`{"worker_id":${id},"dp_rank":1,"active_decode_blocks":40}`, { ...said, kind: "own", usedBlocks: 40 }],
  [`{"worker_id":${id},"dp_rank":1,"active_decode_blocks":40,"active_prefill_tokens":7}`, {
    ...said,
    ...estimated,
    router: "",
  }],
  [`{"worker_id":${id},"dp_rank":1,"active_decode_blocks":null,"active_prefill_tokens":7}`, {
    ...said,
    ...estimated,
    router: "",
    activeDecodeBlocks: undefined,
  }],
];

for (const [text, expected] of kvJson) {
  Deno.test(`kv_metrics are read from ${text}`, () => assert.deepEqual(parseKvMetricsJson(text), expected));
}

const wrongKvJson: readonly (readonly [text: string, problem: EventProblem, message: string])[] = [
  ["", "not_json", "not JSON"],
  ["hello", "not_json", "not JSON"],
  ['{"worker_id":1,"active_decode_blocks":NaN}', "not_json", "not JSON"],
  ['{"worker_id":1', "not_json", "not JSON"],
  ["[".repeat(100_000) + "]".repeat(100_000), "not_json", "not JSON"],
  ["7", "fields", "not an object"],
  ["null", "fields", "not an object"],
  ["[]", "fields", "worker_id is no unsigned 64-bit integer"],
  ["{}", "fields", "worker_id is no unsigned 64-bit integer"],
  ...["-1", "1.0", "1e3", '"1"', "null", "18446744073709551616", "[1]"].map((text) =>
    [`{"worker_id":${text},"data":${NESTED}}`, "fields", "worker_id is no unsigned 64-bit integer"] as const
  ),
  ...["-1", "1.5", "1.0", '"1"', "null", "4294967296", "1e400"].map((text) =>
    [
      `{"worker_id":1,"dp_rank":${text},"active_decode_blocks":1}`,
      "fields",
      "dp_rank is no unsigned 32-bit integer",
    ] as const
  ),
  ...["-1", "1.5", "1.0", '"1"', "null", "18446744073709551616", "{}"].map((text) =>
    [
      `{"worker_id":1,"active_decode_blocks":${text},"active_prefill_tokens":null}`,
      "fields",
      "active_decode_blocks is no unsigned integer",
    ] as const
  ),
  ...["-1", "1.5", '"1"', "18446744073709551616", "{}"].map((text) =>
    [
      `{"worker_id":1,"active_decode_blocks":1,"active_prefill_tokens":${text}}`,
      "fields",
      "active_prefill_tokens is no unsigned integer",
    ] as const
  ),
  ['{"worker_id":1}', "fields", "active_decode_blocks is no unsigned integer"],
  ['{"worker_id":1,"data":null}', "fields", "data is missing"],
  ['{"worker_id":1,"data":7}', "fields", "data is not an object"],
  ['{"worker_id":1,"data":{}}', "fields", "request_active_slots is missing"],
  [
    `{"worker_id":1,"data":${NESTED.replace('_blocks":4', '_blocks":-4')}}`,
    "fields",
    "kv_active_blocks is of the wrong kind",
  ],
  [
    `{"worker_id":1,"data":${NESTED.replace('_blocks":4', '_blocks":4.0')}}`,
    "fields",
    "kv_active_blocks is of the wrong kind",
  ],
];

for (const [text, problem, message] of wrongKvJson) {
  Deno.test(`the kv_metrics ${text.slice(0, 200)} are refused: ${message}`, () => {
    throwsEventError(() => parseKvMetricsJson(text), problem, message);
  });
}

// forward-pass-metrics

const FORWARD_PASS = {
  version: 1,
  worker_id: id,
  dp_rank: 1,
  counter_id: 291,
  wall_time: 0.025,
  scheduled_requests: { num_prefill_requests: 1, num_decode_requests: 3, var_prefill_length: 0.5 },
  queued_requests: { num_prefill_requests: 2, num_decode_requests: 5 },
};

Deno.test("a forward pass says how many requests run and wait", () => {
  const read = parseForwardPass(envelope(FORWARD_PASS_EVENT, FORWARD_PASS, 1n));
  assert.deepEqual(read, { worker: id, dpRank: 1, running: 4, waiting: 7, isHeartbeat: false });
});

Deno.test("a forward pass that took no time is a heartbeat; one that does not say is a pass", () => {
  const isHeartbeat = (wall_time: unknown) =>
    parseForwardPass(envelope(FORWARD_PASS_EVENT, { ...FORWARD_PASS, wall_time }, 1n)).isHeartbeat;
  assert.deepEqual([0, 0.0001, 12.5, undefined, "0", null].map(isHeartbeat), [
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

const NO_TEXT = "worker_id is no text of an unsigned 64-bit integer";
const wrongForwardPasses: readonly (readonly [fields: Fields, message: string])[] = [
  ...[
    WORKER,
    7,
    undefined,
    null,
    "",
    "-1",
    "+1",
    "1.0",
    "0x1",
    "1 ",
    "18446744073709551616",
    "9".repeat(21),
    "NaN",
  ]
    .map((worker_id) => [{ worker_id }, NO_TEXT] as const),
  [{ dp_rank: -1 }, "dp_rank is no unsigned 32-bit integer"],
  [{ dp_rank: null }, "dp_rank is no unsigned 32-bit integer"],
  ...["scheduled_requests", "queued_requests"].flatMap((field) => [
    [{ [field]: undefined }, `${field} is not an object`] as const,
    [{ [field]: null }, `${field} is not an object`] as const,
    [{ [field]: 7 }, `${field} is not an object`] as const,
    [{ [field]: {} }, "num_prefill_requests is no unsigned integer"] as const,
    [{ [field]: [1, 2] }, "num_prefill_requests is no unsigned integer"] as const,
    ...Object.values(NO_COUNTS).map((wrong) =>
      [
        { [field]: { num_prefill_requests: 0, num_decode_requests: wrong } },
        "num_decode_requests is no unsigned integer",
      ] as const
    ),
  ]),
];

Deno.test("a forward pass with a field missing or of the wrong kind is refused", () => {
  for (const [fields, message] of wrongForwardPasses) {
    const payload = withoutMissing({ ...FORWARD_PASS, ...fields });
    throwsEventError(() => parseForwardPass(envelope(FORWARD_PASS_EVENT, payload)), "fields", message);
  }
  throwsEventError(
    () => parseForwardPass(envelope("kv_metrics", FORWARD_PASS)),
    "fields",
    "topic is not forward-pass-metrics",
  );
});

// kv-hit-rate

const HIT_RATE: Fields = { worker_id: WORKER, dp_rank: 0, isl_blocks: 29, overlap_blocks: 2n ** 53n };

Deno.test("a hit rate is read from its envelope", () => {
  assert.deepEqual(parseHitRateEnvelope(envelope(HIT_RATE_EVENT, HIT_RATE, ROUTER)), {
    worker: id,
    islBlocks: 29,
    overlapBlocks: 2 ** 53,
  });
});

for (const field of ["isl_blocks", "overlap_blocks"]) {
  for (const [name, wrong] of Object.entries({ ...NO_COUNTS, "missing": undefined, "null": null })) {
    Deno.test(`a hit rate in an envelope whose ${field} is ${name} is refused`, () => {
      const payload = without(HIT_RATE, field, wrong);
      throwsEventError(
        () => parseHitRateEnvelope(envelope(HIT_RATE_EVENT, payload)),
        "fields",
        `${field} is no unsigned integer`,
      );
    });
  }
}

/** The record with one field replaced, or left out where the replacement is undefined. */
function without(record: Fields, field: string, replacement: unknown): Fields {
  return withoutMissing({ ...record, [field]: replacement });
}

function withoutMissing(record: Fields): Fields {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

Deno.test("a hit rate is read alike however it is written", () => {
  const texts = [
    '{"worker_id":7587870543960,"isl_blocks":10,"overlap_blocks":0}',
    '{"worker_id":7587870543960,"dp_rank":0,"isl_blocks":10,"overlap_blocks":0}',
    '{ "worker_id": 7587870543960, "isl_blocks": 10, "overlap_blocks": 0 }',
    '{"overlap_blocks":0,"isl_blocks":10,"worker_id":7587870543960,"later":null}',
  ];
  for (const text of texts) {
    assert.deepEqual(parseHitRate(text), { worker: "7587870543960", islBlocks: 10, overlapBlocks: 0 }, text);
  }
  for (const id of ["0", "9999999999999999999", "10000000000000000000", "18446744073709551615"]) {
    const text = `{"worker_id":${id},"isl_blocks":0,"overlap_blocks":999999999999999}`;
    assert.deepEqual(parseHitRate(text), { worker: id, islBlocks: 0, overlapBlocks: 999_999_999_999_999 });
  }
  for (const id of ["007", "18446744073709551616", "-1", "1.0", "1e3"]) {
    const text = `{"worker_id":${id},"isl_blocks":1,"overlap_blocks":1}`;
    assert.throws(() => parseHitRate(text), EventError, text);
  }
});
