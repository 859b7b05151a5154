import assert from "node:assert/strict";
import { Heap } from "../tools/heap.ts";
import { INSPECTABLE } from "../tools/inspector.ts";
import { ownProgram, servedUrl } from "../tools/program.ts";
import { startNats } from "../tools/servers/nats.ts";
import { RawService, statsReply, target } from "./helpers/deployment.ts";
import { eventually } from "./helpers/eventually.ts";
import { PageReader } from "../tools/page_reader.ts";

const MIB = 1_048_576;
const WORKERS = 50;
const RESTARTS = 100_000;
const SERIES_A_WORKER = 12;

Deno.test("a hundred thousand restarts under new ids end with the memory, files and series of the beginning", async () => {
  await using nats = await startNats();
  await using raw = new RawService(nats.url);
  let generation = 0;
  let restarts = 0;
  let restarting = 0;
  raw.answer(({ send }) => {
    // A worker's whole life is one answer: many generations answer the same question, all but the last of them dead.
    for (let n = 0; n <= restarting; n++) {
      const first = ++generation * WORKERS;
      const workers = Array.from({ length: WORKERS }, (_, n) => [(first + n).toString(16), 40] as const);
      send(statsReply(raw.service, workers));
      for (const [hex] of workers.slice(0, 5)) {
        raw.publish(
          "namespace.dynamo.kv-hit-rate",
          `{"worker_id":${BigInt(`0x${hex}`)},"isl_blocks":1,"overlap_blocks":1}`,
        );
      }
      if (restarting > 0) restarts += WORKERS;
    }
  });
  await using metrics = ownProgram("main.ts", {
    denoFlags: [INSPECTABLE],
    args: [
      "--component",
      target.component,
      "--endpoint",
      target.endpoint,
      "--host",
      "127.0.0.1",
      "--port",
      "0",
    ]
      .concat("--no-etcd", "--poll-interval", "0.1", "--stale-after", "0.1", "--forget-after", "0.1"),
    env: { NATS_SERVER: nats.url },
  });
  using heap = await Heap.of(metrics);
  const url = await servedUrl(metrics);
  const page = async () => new PageReader(await (await fetch(`${url}/metrics`)).text());
  const series = (page: PageReader) =>
    page.text.split("\n").filter((line) => !/^#|hit_rate/.test(line)).length;

  /** Lets it do without restarts for some rounds, then looks. */
  const settle = async () => {
    restarting = 0;
    const from = (await page()).value("dynamo_metrics_rounds_total")!;
    return await eventually(async () => {
      const now = await page();
      assert.ok(now.value("dynamo_metrics_rounds_total")! > from + 20);
      assert.ok(now.loaded().length <= 4 * WORKERS);
      return { bytes: await heap.usedBytes(), fds: now.value("process_open_fds")!, series: series(now) };
    });
  };
  restarting = 20; // So that what is bounded is full.
  await eventually(async () => assert.ok(restarts >= 10_000 && (await page()).loaded().length > 0));
  const before = await settle();
  restarting = 20;
  await eventually(async () => assert.ok(restarts >= RESTARTS && (await page()).loaded().length > 0), {
    timeoutMs: 60_000,
  });
  const after = await settle();
  assert.ok((await page()).value("dynamo_metrics_workers_gone_total", { reason: "forgotten" })! >= RESTARTS);
  assert.ok(after.bytes - before.bytes < 15 * MIB, JSON.stringify({ before, after }));
  assert.ok(after.fds - before.fds < 5, JSON.stringify({ before, after }));
  // At the moment of looking one generation is there, or none.
  assert.ok(after.series <= before.series + SERIES_A_WORKER * WORKERS, JSON.stringify({ before, after }));
  assert.ok((await page()).values("llm_kv_hit_rate_isl_blocks").length <= 2_500);
});
