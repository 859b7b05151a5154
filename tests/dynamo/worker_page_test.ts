import assert from "node:assert/strict";
import { type PageNumbers, parseWorkerPage } from "../../lib/dynamo/worker_page.ts";

const PAGES = new URL("../testdata/worker_pages/", import.meta.url);

const KVSTATS = [{
  dpRank: "engine",
  inFlight: 0,
  usedBlocks: 40,
  totalBlocks: 1_000,
  cacheUsageRatio: 0.5,
  prefixHitRatio: 0.25,
}];
const FIRST = { worker: "2228897039435551493", engine: "vllm" };
const SECOND = { worker: "2228897039435551495", engine: "vllm" };

/** What every captured page says. */
const CAPTURED: Readonly<Record<string, readonly object[]>> = {
  "0.5.0/worker.txt": KVSTATS,
  "0.6.0/worker.txt": KVSTATS,
  "0.7.1/worker.txt": KVSTATS,
  "0.8.1/worker.txt": KVSTATS,
  "0.9.1/worker1.after.txt": [{ dpRank: "engine", inFlight: 0 }],
  "0.9.1/worker1.under-load.txt": [{ dpRank: "engine", inFlight: 5 }],
  "0.9.1/worker2.under-load.txt": [{ dpRank: "engine", inFlight: 5 }],
  "1.2.1/worker1.after.txt": [{ dpRank: "engine", worker: "2228897039404508681", inFlight: 0 }],
  "1.2.1/worker1.under-load.txt": [{ dpRank: "engine", worker: "2228897039404508681", inFlight: 5 }],
  "1.2.1/worker2.under-load.txt": [{ dpRank: "engine", worker: "2228897039404508683", inFlight: 5 }],
  "1.6.1/worker1.after.txt": [
    { dpRank: "engine", ...FIRST, inFlight: 0 },
    { dpRank: 0, ...FIRST, running: 0, waiting: 0, cacheUsageRatio: 0 },
  ],
  "1.6.1/worker1.under-load.txt": [
    { dpRank: "engine", ...FIRST, inFlight: 5 },
    { dpRank: 0, ...FIRST, running: 4, waiting: 1, cacheUsageRatio: 68 / 512 },
  ],
  "1.6.1/worker2.under-load.txt": [
    { dpRank: "engine", ...SECOND, inFlight: 5 },
    { dpRank: 0, ...SECOND, running: 4, waiting: 1, cacheUsageRatio: 69 / 512 },
  ],
};

for (const [file, numbers] of Object.entries(CAPTURED)) {
  Deno.test(`the page of ${file} is read`, () => {
    assert.deepEqual(parseWorkerPage(Deno.readTextFileSync(new URL(file, PAGES))), {
      numbers,
      unknownLabels: [],
    });
  });
}

Deno.test("no captured page is left out", () => {
  const releases = [...Deno.readDirSync(PAGES)].map(({ name }) => name);
  const files = releases.flatMap((release) =>
    [...Deno.readDirSync(new URL(`${release}/`, PAGES))].map(({ name }) => `${release}/${name}`)
  );
  assert.deepEqual(files.toSorted(), Object.keys(CAPTURED).toSorted());
});

const WRITTEN: readonly [what: string, text: string, expected: PageNumbers[]][] = [
  ["a page of nobody's families says nothing", "up 1\nprocess_open_fds 7\n", []],
  ["an empty page says nothing", "", []],
  [
    "vLLM's engines are ranks, and its newer name of the cache's usage stands",
    'vllm:gpu_cache_usage_perc{engine="0"} 0.1\nvllm:kv_cache_usage_perc{engine="0"} 0.25\n' +
    'vllm:num_requests_running{engine="0",model_name="a}b\\"c"} 2.0\nvllm:num_requests_running{engine="1"} 3',
    [
      { dpRank: 0, engine: "vllm", cacheUsageRatio: 0.25, running: 2 },
      { dpRank: 1, engine: "vllm", running: 3 },
    ],
  ],
  [
    "SGLang's tensor-parallel ranks are counted once",
    'sglang:num_running_reqs{dp_rank="1",tp_rank="0"} 4.0\nsglang:num_running_reqs{dp_rank="1",tp_rank="1"} 4.0\n' +
    'sglang:num_queue_reqs{dp_rank="1"} 3.0\nsglang:token_usage{dp_rank="1"} 0.74\n',
    [{ dpRank: 1, engine: "sglang", running: 4, waiting: 3, cacheUsageRatio: 0.74 }],
  ],
  [
    "TensorRT-LLM's families are read, with a time and with CR LF",
    "trtllm_num_requests_running 2.0 1700000000000\r\ntrtllm_num_requests_waiting 1e1\r\ntrtllm_kv_cache_utilization 0.5\r\n",
    [{ dpRank: "engine", engine: "trtllm", running: 2, waiting: 10, cacheUsageRatio: 0.5 }],
  ],
  [
    "labels may have spaces around them, a name in quotes and a comma at the end",
    'vllm:num_requests_running { "a.b\\"c" = "d" , engine = "1" , } 2\nvllm:num_requests_waiting{ } 1\n',
    [{ dpRank: 1, engine: "vllm", running: 2 }, { dpRank: "unnamed", engine: "vllm", waiting: 1 }],
  ],
  [
    "a sample engine of 1.6.1 says its blocks by rank",
    'dynamo_component_total_blocks{dp_rank="0",worker_id="a1"} 1000\n' +
    'dynamo_component_gpu_cache_usage_percent{dp_rank="0",worker_id="a1"} 0.13600000739097595\n',
    [{ dpRank: 0, worker: "161" as never, totalBlocks: 1_000, cacheUsageRatio: 0.13600000739097595 }],
  ],
  [
    "engines' numbers are the one worker's that the page names, and nobody's beside several",
    'dynamo_component_inflight_requests{dynamo_endpoint="generate",worker_id="a1"} 1\n' +
    'dynamo_component_inflight_requests{dynamo_endpoint="generate",worker_id="b2"} 2\nvllm:num_requests_running 3\n',
    [
      { dpRank: "engine", worker: "161" as never, engine: "vllm", inFlight: 1 },
      { dpRank: "engine", worker: "178" as never, engine: "vllm", inFlight: 2 },
      { dpRank: "unnamed", engine: "vllm", running: 3 },
    ],
  ],
  [
    "samples that cannot be true, or cannot be read, are passed over",
    [
      "vllm:num_requests_running -1",
      "vllm:num_requests_running 1.5",
      "vllm:num_requests_running NaN",
      "vllm:num_requests_running +Inf",
      "vllm:num_requests_running 99999999999999999999",
      "vllm:num_requests_running ",
      "vllm:num_requests_running",
      "vllm:num_requests_running 0x10",
      'vllm:num_requests_running{engine="0" 7',
      'vllm:num_requests_running{engine="x"} 7',
      `vllm:num_requests_running{engine="${"0".repeat(10_000)}"} 7`,
      `vllm:num_requests_running{${"a".repeat(8_000)}} 7`,
      'vllm:num_requests_running{a engine="1"} 7',
      'vllm:num_requests_running{engine="1" a} 7',
      "vllm:kv_cache_usage_perc 13.6",
      'dynamo_component_inflight_requests{dynamo_endpoint="clear_kv_blocks"} 7',
      "# vllm:num_requests_running 7",
      "\u0000\uFFFD{{{}}}",
      "vllm:num_requests_waiting 1",
    ].join("\n"),
    [{ dpRank: "unnamed", engine: "vllm", waiting: 1 }],
  ],
];

for (const [what, text, expected] of WRITTEN) {
  Deno.test(what, () => assert.deepEqual(parseWorkerPage(text).numbers, expected));
}

Deno.test("a page that claims a hundred thousand ranks has no more of them than a worker may have", () => {
  const text = Array.from({ length: 100_000 }, (_, n) => `vllm:num_requests_running{engine="${n}"} 1\n`);
  assert.equal(parseWorkerPage(text.join("")).numbers.length, 256);
});
