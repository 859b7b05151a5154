import assert from "node:assert/strict";
import { PageReader } from "../../tools/page_reader.ts";
import { distinct, isRight } from "../../tools/interop/comparison.ts";
import { writeEngineModel } from "../../tools/interop/engine_model.ts";
import { descendantsOf, guardGroup } from "../../tools/interop/engine_processes.ts";
import {
  type EngineReading,
  hitRatio,
  longestGapMs,
  loosened,
  rankRange,
  type RankReading,
  readEngine,
  readingsFor,
  sumRange,
} from "../../tools/interop/engine_reading.ts";
import { agreementRows, type Quantity, secondsOf, secondsText } from "../../tools/interop/engine_seconds.ts";
import { secondsUntil } from "../../tools/interop/engine_watch.ts";
import { Program } from "../../tools/program.ts";
import { eventually } from "../helpers/eventually.ts";

const PAGE = `# HELP vllm:num_requests_running Number of requests in model execution batches.
vllm:num_requests_running{engine="0",worker_id="5a"} 3.0
vllm:num_requests_running{engine="1",worker_id="5a"} 4.0
vllm:num_requests_waiting{engine="0",worker_id="5a"} 0.0
vllm:num_requests_waiting{engine="1",worker_id="5a"} 2.0
vllm:num_requests_waiting_by_reason{engine="1",reason="capacity",worker_id="5a"} 2.0
vllm:kv_cache_usage_perc{engine="0",worker_id="5a"} 0.12156862745098039
vllm:kv_cache_usage_perc{engine="1",worker_id="5a"} 1.0
vllm:prefix_cache_hits_total{engine="0",worker_id="5a"} 320.0
vllm:prefix_cache_hits_total{engine="1",worker_id="5a"} 0.0
vllm:prefix_cache_queries_total{engine="0",worker_id="5a"} 640.0
vllm:prefix_cache_queries_total{engine="1",worker_id="5a"} 5.0
dynamo_component_inflight_requests{dynamo_endpoint="generate",worker_id="5a"} 9
dynamo_component_inflight_requests{dynamo_endpoint="clear_kv_blocks",worker_id="5a"} 1
`;

Deno.test("interop reads the numbers of each rank from an engine's page", () => {
  const reading = readEngine(new PageReader(PAGE), { ranks: 2, blocks: 256, fromMs: 1, toMs: 2 });
  assert.deepEqual(reading, {
    fromMs: 1,
    toMs: 2,
    ranks: [
      { running: 3, waiting: 0, usage: 31 / 255, used: 31, hits: 320, queries: 640 },
      { running: 4, waiting: 2, usage: 1, used: 255, hits: 0, queries: 5 },
    ],
    inFlight: 9,
  });
});

for (
  const missing of [
    'vllm:num_requests_waiting{engine="1"',
    'vllm:kv_cache_usage_perc{engine="0"',
    'dynamo_component_inflight_requests{dynamo_endpoint="generate"',
  ]
) {
  Deno.test(`interop takes no engine's page without ${missing}…}`, () => {
    const text = PAGE.split("\n").filter((line) => !line.startsWith(missing)).join("\n");
    assert.throws(
      () => readEngine(new PageReader(text), { ranks: 2, blocks: 256, fromMs: 1, toMs: 2 }),
      /^Error: the worker's page has no /,
    );
  });
}

/** A reading of one rank, or more, that took 10 ms. */
function reading(fromMs: number, ...running: readonly number[]): EngineReading {
  return { fromMs, toMs: fromMs + 10, ranks: running.map((count) => rank({ running: count })), inFlight: 0 };
}

function rank(numbers: Partial<RankReading>): RankReading {
  return { running: 0, waiting: 0, usage: 0, used: 0, hits: 0, queries: 0, ...numbers };
}

const READINGS = [0, 250, 500, 750, 1_000, 1_250, 2_260, 3_271, 5_000].map((ms) => reading(ms, ms));

const WINDOWS: readonly (readonly [
  what: string,
  window: Parameters<typeof readingsFor>[1],
  fromMs: readonly number[],
])[] = [
  ["from the last one before it to the first one after it", { fromMs: 900, toMs: 910, ageMs: 300 }, [
    500,
    750,
    1_000,
  ]],
  ["one that ends just as it begins, as the last one before it", { fromMs: 810, toMs: 900, ageMs: 300 }, [
    500,
    750,
    1_000,
  ]],
  ["one that begins just as it ends, as the first one after it", { fromMs: 600, toMs: 1_000, ageMs: 0 }, [
    500,
    750,
    1_000,
  ]],
  ["two, if it is shorter than what lies between them", { fromMs: 515, toMs: 520, ageMs: 0 }, [500, 750]],
  ["none, if nothing was read before it", { fromMs: 300, toMs: 310, ageMs: 300 }, []],
  ["none, if two of them are too far apart", { fromMs: 3_600, toMs: 3_700, ageMs: 100 }, []],
  ["two that are a second apart", { fromMs: 2_000, toMs: 2_010, ageMs: 100 }, [1_250, 2_260]],
  ["none, if nothing was read after it", { fromMs: 5_300, toMs: 5_310, ageMs: 300 }, []],
];

for (const [what, window, fromMs] of WINDOWS) {
  Deno.test(`a time of interop takes these readings: ${what}`, () => {
    assert.deepEqual(readingsFor(READINGS, window).map((each) => each.fromMs), fromMs);
  });
}

Deno.test("interop allows each rank another moment of the time", () => {
  const readings = [reading(0, 4, 1), reading(250, 2, 2), reading(500, 3, 0)];
  const running = ({ running }: RankReading) => running;
  assert.deepEqual(rankRange(readings, 1, running), { low: 0, high: 2 });
  assert.deepEqual(sumRange(readings, running), { low: 2, high: 6 });
});

Deno.test("interop knows the longest time that nothing was read of an engine", () => {
  assert.equal(longestGapMs(READINGS), 1_719);
  assert.equal(longestGapMs(READINGS.slice(0, 3)), 240);
  assert.equal(longestGapMs(READINGS.slice(0, 1)), 0);
});

Deno.test("interop loosens the range of what moved, and of nothing else", () => {
  assert.deepEqual(loosened({ low: 3, high: 5 }, 4), { low: -1, high: 9 });
  assert.deepEqual(loosened({ low: 3, high: 3 }, 4), { low: 3, high: 3 });
});

Deno.test("without a reading nothing lies between the ends of interop", () => {
  const { low, high } = sumRange([], ({ running }) => running);
  assert.ok(low > high);
});

Deno.test("interop's hit ratio is the growth of hits over that of queries, of all ranks together", () => {
  const from = [rank({ hits: 10, queries: 100 }), rank({ hits: 0, queries: 0 })];
  const to = [rank({ hits: 40, queries: 140 }), rank({ hits: 5, queries: 60 })];
  assert.equal(hitRatio(from, to), 0.35);
  assert.equal(hitRatio(to, to), undefined);
});

const RUNNING: Quantity = {
  name: "running",
  shown: (page) => page.value("ours"),
  range: (readings) => sumRange(readings, ({ running }) => running),
};

/** A sample of our page each second, while the engine had 7, then 8, then 8. */
function seconds(...shown: readonly (number | undefined)[]) {
  const readings = [0, 1_000, 2_000, 3_000, 4_000].map((ms, n) => reading(ms, n === 0 ? 7 : 8));
  const samples = shown.map((value, n) => ({
    fromMs: 500 + 1_000 * n,
    toMs: 510 + 1_000 * n,
    page: new PageReader(value === undefined ? "# nothing\n" : `ours ${value}\n`),
  }));
  return secondsOf([RUNNING], { samples, readings, ageMs: 100 });
}

const AGREEMENTS: readonly (readonly [shown: (number | undefined)[], row: string, isRight: boolean])[] = [
  [[7, 8, 8], "3 to 3: 3", true],
  [[8, 8, 8], "3 to 3: 3", true],
  [[6, 8, 8], "3 to 3: 2", false],
  [[7, 7, 8], "3 to 3: 2", false],
  [[7, 8, 9], "3 to 3: 2", false],
  [[7, undefined, 8], "3 to 3: 2", false],
  [[7, 8, 8, 8, 9], "4 to 4: 4", true], // Nothing was read after the last one: it is left out.
  [[], "1 to 1: 0", false],
];

for (const [shown, expected, right] of AGREEMENTS) {
  Deno.test(`interop counts the seconds that agree with an engine if ${shown.join(", ") || "none"} are shown`, () => {
    const [row] = agreementRows("loaded", { quantities: [RUNNING], seconds: seconds(...shown) });
    assert.equal(row!.what, `loaded: running, samples of ${Math.min(4, shown.length)} that agree`);
    assert.equal(`${row!.known.replace(/^(\d+)$/, "$1 to $1")}: ${row!.shown}`, expected);
    assert.equal(isRight(row!), right);
  });
}

Deno.test("one sample of ten may differ from the engine, and two may not", () => {
  const ten = (agreeing: number) =>
    Array.from({ length: 10 }, (_, n) => ({
      atMs: 1_000 * n,
      cells: [{ shown: 8, range: { low: 8, high: 8 }, agrees: n < agreeing }],
    }));
  const [nine, eight] = [9, 8].map((agreeing) =>
    agreementRows("loaded", { quantities: [RUNNING], seconds: ten(agreeing) })[0]!
  );
  assert.equal(`${nine!.known}: ${nine!.verdict}`, "9 to 10: within");
  assert.equal(eight!.verdict, "DIFFERS");
});

Deno.test("interop prints each second, and marks what differs", () => {
  assert.equal(
    secondsText([RUNNING], seconds(7, undefined, 8, 8, 8)),
    [
      "  s    running",
      "  0.0  7 (7 to 8)",
      "  1.0  – (8) !",
      "  2.0  8 (8)",
      "  3.0  8 (8)",
    ].join("\n"),
  );
});

Deno.test("what was shown over a time names each value once", () => {
  assert.equal(distinct([2, 2, undefined, 1, 2]), "2, –, 1");
  assert.equal(distinct([]), undefined);
});

Deno.test("interop measures from a stop to the first sample that shows it", () => {
  const samples = [1_000, 1_500, 2_040].map((toMs, n) => ({
    fromMs: toMs - 5,
    toMs,
    page: new PageReader(`silent ${n === 2 ? 1 : 0}\n`),
    reasons: [],
  }));
  const isSilent = ({ page }: { readonly page: PageReader }) => page.value("silent") === 1;
  assert.equal(secondsUntil(isSilent, { samples, sinceMs: 900 }), 1.1);
  assert.equal(secondsUntil(isSilent, { samples: samples.slice(0, 2), sinceMs: 900 }), undefined);
});

Deno.test("the weights of interop's model have the shapes that its configuration says", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeEngineModel(folder);
    const config = JSON.parse(await Deno.readTextFile(`${folder}/config.json`));
    const file = await Deno.readFile(`${folder}/model.safetensors`);
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    const { __metadata__: _, ...tensors } = JSON.parse(
      new TextDecoder().decode(file.subarray(8, 8 + length)),
    ) as Record<string, { shape: number[]; data_offsets: [number, number] }>;
    assert.equal((8 + length) % 8, 0);
    assert.deepEqual(tensors["model.embed_tokens.weight"]!.shape, [config.vocab_size, config.hidden_size]);
    assert.deepEqual(tensors["model.layers.1.self_attn.k_proj.weight"]!.shape, [64, config.hidden_size]);
    const last = tensors[`model.layers.${config.num_hidden_layers - 1}.self_attn.k_norm.weight`]!;
    assert.equal(8 + length + last.data_offsets[1], file.length);
    const norm = new DataView(file.buffer, 8 + length + tensors["model.norm.weight"]!.data_offsets[0], 2);
    assert.equal(norm.getUint16(0, true), 0x3f80); // 1 as a bfloat16.
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "interop finds the processes below one, with their titles",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const script = "sh -c 'sleep 61 & wait' & wait";
    await using program = new Program({ command: "sh", args: ["-c", script] });
    await eventually(async () => {
      const titles = (await descendantsOf(program.pid)).map(({ title }) => title);
      assert.deepEqual(titles, ["sh -c sleep 61 & wait", "sleep 61"]);
    });
    // The shell first: it would end with its child.
    for (const { pid } of await descendantsOf(program.pid)) Deno.kill(pid, "SIGKILL");
  },
});

/** Starts a shell that has a child, in a group of their own, and guards the group; says the shell's process. */
const GUARDING = `
  import { guardGroup } from "${import.meta.resolve("../../tools/interop/engine_processes.ts")}";
  const args = ["-c", "sleep 62 & sleep 0.2; kill -STOP $!; wait"];
  const { pid } = new Deno.Command("sh", { args, detached: true, stdout: "null", stderr: "null" }).spawn();
  guardGroup(pid);
  console.error("guarded " + pid + ".");
  setInterval(() => {}, 1_000);
`;

Deno.test({
  name: "a guarded group of processes ends with us, even if we are killed",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const args = ["eval", GUARDING];
    await using us = new Program({ command: Deno.execPath(), args });
    const pid = Number((await us.logged(/guarded (\d+)\./))[1]);
    const child = await eventually(async () => {
      const sleeping = (await descendantsOf(pid)).find(({ title }) => title === "sleep 62");
      assert.equal(await stateOf(sleeping!.pid), "T");
      return sleeping!.pid;
    });
    await us.stop("SIGKILL");
    await eventually(async () => {
      const states = await Promise.all([pid, child].map(stateOf));
      assert.deepEqual(states.filter((state) => state !== undefined && state !== "Z"), []);
    });
  },
});

Deno.test("a group goes on when its guard has been sent home", async () => {
  const child = new Deno.Command("sleep", { args: ["63"], detached: true }).spawn();
  await guardGroup(child.pid)[Symbol.asyncDispose]();
  child.kill("SIGTERM"); // Which it would not be ended by any more.
  assert.equal((await child.status).signal, "SIGTERM");
});

/** A letter, `Z` for one that ended and is still in the table; undefined for one that is not. */
async function stateOf(pid: number): Promise<string | undefined> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  return /^.*\) (\S)/s.exec(stat)?.[1];
}
