import assert from "node:assert/strict";
import { parseLoadJson } from "../../lib/dynamo/exact_integers.ts";
import { LoadError, parseLoad } from "../../lib/dynamo/load.ts";
import { f32Text, loadText } from "../../lib/dynamo/load_text.ts";

const FLAT4 = {
  request_active_slots: "1",
  request_total_slots: "8",
  kv_active_blocks: "40",
  kv_total_blocks: "100",
};

/** A flat record as JSON text, some of its fields replaced by other text, or left out. */
function record(fields: Record<string, string | undefined>): string {
  const all = Object.entries({ ...FLAT4, ...fields }).filter(([, text]) => text !== undefined);
  return `{${all.map(([name, text]) => `"${name}": ${text}`).join()}}`;
}

function read(text: string) {
  return parseLoad(parseLoadJson(text));
}

Deno.test("the shape is told by the fields: flat4, flat7, flat8, nested", () => {
  assert.equal(read(record({})).shape, "flat4");
  assert.equal(read(record({ num_requests_waiting: "3" })).shape, "flat7");
  assert.equal(read(record({ gpu_cache_usage_perc: "null" })).shape, "flat7");
  assert.equal(read(record({ data_parallel_rank: "null" })).shape, "flat8");
  const { request_active_slots, request_total_slots, kv_active_blocks, kv_total_blocks } = FLAT4;
  const nested = `{"worker_stats":{"request_active_slots":${request_active_slots},"request_total_slots":` +
    `${request_total_slots}},"kv_stats":{"kv_active_blocks":${kv_active_blocks},"kv_total_blocks":${kv_total_blocks}}}`;
  assert.deepEqual(read(nested), {
    shape: "nested",
    activeSlots: 1,
    totalSlots: 8,
    activeBlocks: 40,
    totalBlocks: 100,
  });
});

Deno.test("what is null or missing beside the four counts is absent, never 0", () => {
  const load = read(record({ num_requests_waiting: "null", gpu_cache_usage_perc: "null" }));
  assert.deepEqual(Object.keys(load).toSorted(), [
    "activeBlocks",
    "activeSlots",
    "shape",
    "totalBlocks",
    "totalSlots",
  ]);
});

Deno.test("ratios are of 32 bits, whole numbers too", () => {
  const load = read(record({ gpu_cache_usage_perc: "0.1", gpu_prefix_cache_hit_rate: "1" }));
  assert.deepEqual([load.cacheUsageRatio, load.prefixHitRatio], [0.10000000149011612, 1]);
});

Deno.test("numbers to 2^64 - 1 are taken, as the nearest double", () => {
  for (
    const [text, value] of [["9223372036854775808", 2 ** 63], ["18446744073709551615", 2 ** 64], [
      "0",
      0,
    ]] as const
  ) {
    assert.equal(read(record({ kv_active_blocks: text })).activeBlocks, value);
  }
});

const wrong: readonly (readonly [fields: Record<string, string | undefined>, message: string])[] = [
  ...["-1", "-0", "1.5", "2.0", "1e3", "1E3", '"40"', "true", "[]", "{}", "18446744073709551616", "1e400"]
    .map((text) => [{ kv_active_blocks: text }, "kv_active_blocks is of the wrong kind"] as const),
  [{ kv_active_blocks: "null" }, "kv_active_blocks is missing"],
  [{ request_total_slots: undefined }, "request_total_slots is missing"],
  [{ num_requests_waiting: "-1" }, "num_requests_waiting is of the wrong kind"],
  [{ num_requests_waiting: "2.0" }, "num_requests_waiting is of the wrong kind"],
  [{ gpu_cache_usage_perc: '"0.5"' }, "gpu_cache_usage_perc is of the wrong kind"],
  [{ gpu_cache_usage_perc: "1e300" }, "gpu_cache_usage_perc is of the wrong kind"],
  [{ data_parallel_rank: "4294967296" }, "data_parallel_rank is of the wrong kind"],
  [{ worker_stats: "[]" }, "worker_stats is not an object"],
  [{ worker_stats: "{}" }, "kv_stats is missing"],
  [{ kv_stats: "7" }, "worker_stats is missing"],
];

for (const [fields, message] of wrong) {
  Deno.test(`a record with ${JSON.stringify(fields)} is refused: ${message}`, () => {
    assert.throws(() => read(record(fields)), new LoadError(message));
  });
}

Deno.test("a field whose name is written with escapes is read as exactly", () => {
  assert.throws(
    () => read(record({ kv_active_blocks: undefined, "\\u006bv_active_blocks": "2.0" })),
    LoadError,
  );
});

Deno.test("what is no object is no record", () => {
  for (const text of ["7", '"x"', "[1]", "true"]) {
    assert.throws(() => read(text), new LoadError("data is not an object"));
  }
});

Deno.test("a 32-bit float is written with the fewest digits that name it", () => {
  for (const text of ["0.0", "1.0", "0.1", "0.5", "0.64272845", "0.103429794", "0.055414557", "16777216.0"]) {
    assert.equal(f32Text(Math.fround(Number(text))), text);
  }
});

Deno.test("a record is written back as it was read, in every shape", () => {
  const texts = [
    '{"request_active_slots":1,"request_total_slots":8,"kv_active_blocks":40,"kv_total_blocks":100}',
    '{"request_active_slots":1,"request_total_slots":8,"kv_active_blocks":40,"kv_total_blocks":100,"num_requests_waiting":3,"gpu_cache_usage_perc":0.5,"gpu_prefix_cache_hit_rate":0.25}',
    '{"data_parallel_rank":null,"request_active_slots":1,"request_total_slots":8,"kv_active_blocks":40,"kv_total_blocks":100,"num_requests_waiting":3,"gpu_cache_usage_perc":0.5,"gpu_prefix_cache_hit_rate":0.25}',
    '{"worker_stats":{"data_parallel_rank":1,"request_active_slots":7,"request_total_slots":100,"num_requests_waiting":0},"kv_stats":{"kv_active_blocks":60,"kv_total_blocks":1000,"gpu_cache_usage_perc":0.1,"gpu_prefix_cache_hit_rate":0.75},"spec_decode_stats":{"num_spec_tokens":2,"num_drafts":10,"num_draft_tokens":20,"num_accepted_tokens":15,"num_accepted_tokens_per_pos":[9,6]}}',
  ];
  for (const text of texts) assert.equal(loadText(read(text)), text);
});
