import assert from "node:assert/strict";
import { PAGE_FAMILIES } from "../../lib/dynamo/page_families.ts";
import { parseWorkerPage } from "../../lib/dynamo/worker_page.ts";

/** Lines of one family, by labels and value. */
function lines(family: string, samples: Readonly<Record<string, number | string>>): string {
  return Object.entries(samples).map(([labels, value]) => `${family}{${labels}} ${value}\n`).join("");
}

const RUNNING = "vllm:num_requests_running";
const USAGE = "vllm:kv_cache_usage_perc";
const SGLANG = "sglang:num_running_reqs";

/** Several samples of one family and rank: what is shown, and which labels are said not to be known. */
const SEVERAL: readonly [what: string, text: string, shown: object, unknown: readonly string[]][] = [
  [
    "of tensor-parallel ranks one counts",
    lines(SGLANG, { 'tp_rank="0"': 4, 'tp_rank="1"': 4, 'tp_rank="2"': 4 }),
    { running: 4 },
    [],
  ],
  [
    "of pipeline-parallel ranks one counts, in each tensor-parallel rank",
    lines(SGLANG, {
      'pp_rank="0",tp_rank="0"': 3,
      'pp_rank="1",tp_rank="0"': 3,
      'pp_rank="1",tp_rank="1"': 3,
    }),
    { running: 3 },
    [],
  ],
  [
    "of processes the greatest counts, wherever it stands",
    lines(USAGE, { 'pid="1"': 0, 'pid="2"': 0.5, 'pid="3"': 0 }) +
    lines(RUNNING, { 'pid="1"': 9, 'pid="2"': 0 }),
    { cacheUsageRatio: 0.5, running: 9 },
    [],
  ],
  [
    "of processes one of which does not say its number the greatest counts",
    lines(RUNNING, { 'pid="1"': 2, "": 5 }),
    { running: 5 },
    [],
  ],
  [
    "models add up, and of ratios the greatest counts",
    lines(RUNNING, { 'model_name="a"': 1, 'model_name="b"': 2, 'model_name="c"': 4 }) +
    lines(USAGE, { 'model_name="a"': 0.1, 'model_name="b"': 0.7, 'model_name="c"': 0.2 }),
    { running: 7, cacheUsageRatio: 0.7 },
    [],
  ],
  [
    "stages and replicas add up",
    lines(RUNNING, { 'replica="0",stage="0"': 1, 'replica="0",stage="1"': 2, 'replica="1",stage="0"': 3 }),
    { running: 6 },
    [],
  ],
  [
    "parts add up, each of the greatest of its processes",
    lines(RUNNING, {
      'model="a",pid="1"': 4,
      'model="a",pid="2"': 0,
      'model="b",pid="1"': 0,
      'model="b",pid="2"': 5,
    }),
    { running: 9 },
    [],
  ],
  [
    "a label that is the same in all tells nothing apart",
    lines(RUNNING, { 'shard="0",tp_rank="0"': 4, 'shard="0",tp_rank="1"': 4 }),
    { running: 4 },
    [],
  ],
  [
    "of samples apart by an unknown label none counts, and other families do",
    lines(RUNNING, { 'shard="0"': 1, 'shard="1"': 2 }) + "vllm:num_requests_waiting 3\n",
    { waiting: 3 },
    ["shard"],
  ],
  [
    "an unknown label beside a known one is still unknown",
    lines(RUNNING, { 'tp_rank="0",moe="0"': 1, 'tp_rank="1",moe="1"': 2 }),
    {},
    ["moe"],
  ],
  [
    "one sample said twice counts once",
    lines(RUNNING, { "": 3 }) + lines(RUNNING, { "": 3 }),
    { running: 3 },
    [],
  ],
  [
    "one sample said twice with other values does not count",
    lines(RUNNING, { "": 3 }) + lines(RUNNING, { "": 4 }),
    {},
    [""],
  ],
];

for (const [what, text, shown, unknown] of SEVERAL) {
  Deno.test(`of several samples of one rank, ${what}`, () => {
    const { numbers: [rank], unknownLabels } = parseWorkerPage(text);
    const { dpRank: _, engine: __, ...read } = rank!;
    assert.deepEqual(read, shown);
    assert.deepEqual(unknownLabels.map(({ label }) => label), unknown);
  });
}

const WAITING: readonly [what: string, text: string, waiting: number | undefined][] = [
  [
    "a decode engine's queues",
    "sglang:num_queue_reqs 0\nsglang:num_decode_prealloc_queue_reqs 37\n" +
    "sglang:num_decode_transfer_queue_reqs 5\n",
    42,
  ],
  ["a prefill engine's queues", "sglang:num_prefill_prealloc_queue_reqs 4\nsglang:num_queue_reqs 3\n", 7],
  ["one queue alone", "sglang:num_decode_transfer_queue_reqs 5\n", 5],
  ["no request that is being sent", "sglang:num_prefill_inflight_queue_reqs 9\nsglang:num_queue_reqs 1\n", 1],
  [
    "each queue once, if its samples repeat",
    lines("sglang:num_queue_reqs", { 'tp_rank="0"': 2, 'tp_rank="1"': 2 }) +
    "sglang:num_decode_prealloc_queue_reqs 1\n",
    3,
  ],
  [
    "not known, if a part of them is not",
    "sglang:num_queue_reqs 3\n" +
    lines("sglang:num_decode_prealloc_queue_reqs", { 'zone="a"': 1, 'zone="b"': 2 }),
    undefined,
  ],
  [
    "nothing of vLLM's waiting ones by reason",
    "vllm:num_requests_waiting 3\n" +
    lines("vllm:num_requests_waiting_by_reason", { 'reason="capacity"': 2, 'reason="deferred"': 1 }),
    3,
  ],
];

for (const [what, text, waiting] of WAITING) {
  Deno.test(`waiting requests are ${what}`, () => {
    assert.equal(parseWorkerPage(text).numbers[0]!.waiting, waiting);
  });
}

Deno.test("blocks of 0 and 1 are placeholders of engines that do not know their total", () => {
  const total = (value: number) =>
    parseWorkerPage(`dynamo_component_total_blocks{dp_rank="0"} ${value}\n`).numbers[0]!.totalBlocks;
  assert.deepEqual([0, 1, 2, 512].map(total), [undefined, undefined, 2, 512]);
});

Deno.test("times with a fraction, as OpenMetrics writes them, are passed over", () => {
  for (const time of ["", " 1700000000000", " 1700000000.123", " -1.5", " 1.7e9"]) {
    assert.equal(parseWorkerPage(`${RUNNING} 3${time}\n`).numbers[0]!.running, 3, time);
  }
  assert.deepEqual(parseWorkerPage(`${RUNNING} 3 # {} 1 2\n`).numbers, []);
});

Deno.test("a family has a unit, a kind and one place in the table", () => {
  const names = PAGE_FAMILIES.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, field, unit, kind } of PAGE_FAMILIES) {
    assert.equal(unit === "ratio", field.endsWith("Ratio"), name);
    assert.equal(kind === "counter", name.endsWith("_total"), name);
  }
});
