import assert from "node:assert/strict";
import { workerIdFromHex } from "../lib/dynamo/worker_id.ts";
import { assertSchema } from "./helpers/api_schema.ts";
import { CapturedDeployment } from "./helpers/captured_deployment.ts";
import { type Fleet, readBoth, readFleet } from "./helpers/api_reader.ts";
import { Deployment, target } from "./helpers/deployment.ts";
import { EventStream, type StreamMessage } from "./helpers/event_stream.ts";
import { eventually } from "./helpers/eventually.ts";
import { startMetrics } from "./helpers/metrics_process.ts";
import type { PageReader } from "../tools/page_reader.ts";

Deno.test("the fleet and the page of one Snapshot have the same numbers, ranks and estimates of modern workers too", async () => {
  await using deployment = await Deployment.start();
  deployment.play(3);
  const raw = deployment.raw();
  const hex = "fedcba9876543210";
  const worker_id = workerIdFromHex(hex)!;
  await deployment.register(hex);
  const { fleet, page } = await eventually(async () => {
    const ofRank = (dpRank: number, blocks: number) =>
      `{"worker_id":${worker_id},"dp_rank":${dpRank},"active_decode_blocks":${blocks},"active_prefill_tokens":`;
    raw.publish("namespace.dynamo.kv_metrics", `${ofRank(0, 30)}null}`);
    raw.publish("namespace.dynamo.kv_metrics", `${ofRank(1, 12)}null}`);
    raw.publish("namespace.dynamo.kv_metrics", `${ofRank(1, 14)}99}`);
    raw.publish("namespace.dynamo.kv-hit-rate", `{"worker_id":7,"isl_blocks":10,"overlap_blocks":4}`);
    const both = await readBoth(deployment.metrics.url);
    const modern = both.fleet.targets[0]!.workers.find(({ id }) => id === worker_id);
    assert.deepEqual(both.fleet.targets[0]!.aggregate.workers.responding, 4);
    assert.deepEqual(modern?.ranks, [
      { dp_rank: 0, kv_blocks_used: 30 },
      { dp_rank: 1, kv_blocks_used: 12 },
    ]);
    assert.deepEqual(modern.estimates, [
      { router: "", dp_rank: 1, active_decode_blocks: 14, active_prefill_tokens: 99 },
    ]);
    assert.deepEqual(modern.channels, ["event_nats"]);
    assert.ok(both.fleet.targets[0]!.aggregate.hit_rate);
    return both;
  });
  const [shown] = fleet.targets;
  const { namespace, component, endpoint } = shown!;
  assert.deepEqual({ namespace, component, endpoint }, target);
  assert.equal(shown!.workers.length, 4);
  assertSamePicture(fleet, page);
});

/** Compares each number that both have. */
function assertSamePicture(fleet: Fleet, page: PageReader): void {
  const { workers, aggregate, up } = fleet.targets[0]!;
  const byWorker: Readonly<Record<string, string>> = {
    llm_kv_blocks_active: "kv_blocks_used",
    llm_kv_blocks_total: "kv_blocks_total",
    llm_requests_active_slots: "slots_active",
    llm_requests_total_slots: "slots_total",
    llm_kv_hit_rate_percent: "prefix_hit",
    dynamo_metrics_worker_requests_waiting: "requests_waiting",
    dynamo_metrics_worker_kv_cache_usage_ratio: "cache_usage",
  };
  for (const [series, field] of Object.entries(byWorker)) {
    const told = workers.filter((worker) => field in worker).map((worker) => [worker.id, worker[field]]);
    assert.deepEqual(Object.fromEntries(told), page.byWorker(series), series);
  }
  assert.deepEqual(Object.fromEntries(workers.map(({ id, state }) => [id, state])), page.states());
  const seen = workers.flatMap(({ id, last_seen_at }) =>
    last_seen_at === undefined ? [] : [[id, Date.parse(last_seen_at) / 1_000]]
  );
  assert.deepEqual(
    Object.fromEntries(seen),
    page.byWorker("dynamo_metrics_worker_last_answer_timestamp_seconds"),
  );
  for (const { id, release } of workers) {
    const labels = release === undefined ? {} : { release };
    assert.equal(page.value("dynamo_metrics_worker_info", { worker_id: id, ...labels }), 1);
  }
  for (const { id: worker_id, ranks = [], estimates = [], channels, endpoints = [] } of workers) {
    for (const { dp_rank, kv_blocks_used } of ranks) {
      const labels = { worker_id, dp_rank: String(dp_rank) };
      assert.equal(page.value("dynamo_metrics_rank_kv_blocks_used", labels), kv_blocks_used);
    }
    for (const { dp_rank, router, active_decode_blocks } of estimates) {
      const labels = { worker_id, router, dp_rank: String(dp_rank) };
      assert.equal(page.value("dynamo_metrics_router_active_decode_blocks", labels), active_decode_blocks);
    }
    for (const channel of channels) {
      assert.equal(page.value("dynamo_metrics_worker_channel", { worker_id, channel }), 1);
    }
    for (const { name, requests, errors } of endpoints) {
      const labels = { worker_id, dynamo_endpoint: name };
      assert.equal(page.value("dynamo_metrics_endpoint_requests_total", labels), requests);
      assert.equal(page.value("dynamo_metrics_endpoint_errors_total", labels), errors);
    }
  }
  for (const [state, count] of Object.entries(aggregate.workers)) {
    assert.equal(page.value("dynamo_metrics_workers", { state }), count);
  }
  const sum = (name: string) =>
    Object.values(page.byWorker(name)).reduce(
      (sum: number | undefined, value) => (sum ?? 0) + value,
      undefined,
    );
  const single: Readonly<Record<string, number | undefined>> = {
    llm_load_avg: aggregate.load_avg,
    llm_load_std: aggregate.load_std,
    dynamo_metrics_up: Number(up),
    dynamo_metrics_round_workers_expected: aggregate.round?.expected,
    dynamo_metrics_round_workers_answered: aggregate.round?.answered,
    dynamo_metrics_round_workers_decoded: aggregate.round?.decoded,
    dynamo_metrics_kv_hit_rate_isl_blocks_total: aggregate.hit_rate?.isl_blocks ?? 0,
    dynamo_metrics_kv_hit_rate_overlap_blocks_total: aggregate.hit_rate?.overlap_blocks ?? 0,
    dynamo_metrics_nats_connected: fleet.nats && Number(fleet.nats.connected),
    dynamo_metrics_etcd_connected: fleet.etcd && Number(fleet.etcd.connected),
  };
  for (const [series, value] of Object.entries(single)) assert.equal(page.value(series), value, series);
  assert.equal(aggregate.kv_blocks_used, sum("llm_kv_blocks_active"));
  assert.equal(aggregate.kv_blocks_total, sum("llm_kv_blocks_total"));
  assert.equal(aggregate.slots_active, sum("llm_requests_active_slots"));
  assert.equal(aggregate.slots_total, sum("llm_requests_total_slots"));
  assert.equal(aggregate.requests_waiting, sum("dynamo_metrics_worker_requests_waiting"));
}

Deno.test("workers of 1.6.1, told to do without NATS: cards, events and utilisation, and no word of NATS or rounds", async () => {
  await using captured = await CapturedDeployment.start("1.6.1-default");
  await using metrics = await startMetrics({
    args: ["--component", "backend", "--endpoint", "generate", "--poll-interval", "0.2", "--no-nats"],
    env: { ETCD_ENDPOINTS: captured.etcd.url },
  });
  await eventually(async () => {
    const { fleet, page } = await readBoth(metrics.url);
    const { workers, aggregate } = fleet.targets[0]!;
    assert.deepEqual(workers.map(({ slots_active, channels }) => [slots_active, channels.toSorted()]), [
      [4, ["card", "event_zmq"]],
      [4, ["card", "event_zmq"]],
    ]);
    assert.ok(workers.every(({ model, worker_type }) => model !== undefined && worker_type !== undefined));
    assert.equal(aggregate.kv_utilisation, (63 + 61) / 1_024);
    assert.equal(aggregate.slot_utilisation, 1);
    assert.equal(fleet.nats, undefined);
    assert.equal(aggregate.round, undefined);
    assertSamePicture(fleet, page);
  });
});

Deno.test("before its servers are there, and without etcd, the fleet is told as far as it is known", async () => {
  await using metrics = await startMetrics({
    args: ["--component", "a", "--endpoint", "b", "--no-etcd"],
    env: { NATS_SERVER: "nats://127.0.0.1:1" },
  });
  await eventually(async () => {
    const { nats, etcd, targets } = await readFleet(metrics.url);
    assert.deepEqual([nats, etcd, targets[0]!.workers], [{ connected: false, reconnects: 0 }, undefined, []]);
    assert.ok(!("load_avg" in targets[0]!.aggregate));
  });
});

Deno.test("a stream tells of workers that come, go silent and leave, what the page says, and ends with the program", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  await using stream = await EventStream.open(deployment.metrics.url);
  const first = await stream.next();
  assert.deepEqual([first?.event, first && workersOf(first)], ["state", {}]);
  const raw = deployment.raw();
  let blocks: number | undefined = 40;
  raw.answer(({ reply }) => blocks !== undefined && reply("fedcba9876543210", blocks));
  const id = workerIdFromHex("fedcba9876543210")!;
  const come = await stream.until((message) => changedTo(message).includes("responding"));
  assert.deepEqual(workersOf(come.at(-1)!), { [id]: 40 });
  await stream.until(({ event, data }) => event === "change" && data.targets[0]!.seen_at !== undefined);
  blocks = undefined;
  const silent = await stream.until((message) => changedTo(message).includes("silent"));
  assert.deepEqual(workersOf(silent.at(-1)!), { [id]: undefined });
  assert.equal(silent.at(-1)!.data.targets[0]!.aggregate.workers.silent, 1);
  await stream.until(({ event, data }) => event === "change" && data.targets[0]!.gone.includes(id));
  assert.deepEqual((await readFleet(deployment.metrics.url)).targets[0]!.workers, []);
  assert.equal(await deployment.metrics.stop(), 0);
  while (await stream.next() !== undefined);
});

/** The states of the workers that a message says have changed. */
function changedTo({ event, data }: StreamMessage): string[] {
  return event === "change" ? data.targets[0]!.changed.map(({ state }) => state) : [];
}

/** The blocks in use of the workers that a message tells of. */
function workersOf({ data: { targets: [target] } }: StreamMessage): Record<string, number | undefined> {
  const workers = "workers" in target! ? target.workers : target!.changed;
  return Object.fromEntries(workers.map(({ id, kv_blocks_used }) => [id, kv_blocks_used]));
}

Deno.test("while NATS is away the load of the fleet's past is null, and there is a value for each poll all the same", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  const raw = deployment.raw();
  raw.answer(({ reply }) => reply("a1", 40));
  const past = async () => {
    const { step_seconds, targets: [target] } = await readHistory(deployment.metrics.url);
    assert.equal(step_seconds, 0.2);
    return target.series as { load_avg: (number | null)[]; responding: (number | null)[] };
  };
  await eventually(async () => assert.equal((await past()).load_avg.at(-1), 40));
  await deployment.nats.stop();
  await eventually(async () => assert.deepEqual((await past()).load_avg.slice(-3), [null, null, null]));
  await deployment.nats.start();
  await eventually(async () => assert.equal((await past()).load_avg.at(-1), 40));
  const { load_avg, responding } = await past();
  assert.match(load_avg.join(), /40,,.*,40$/);
  assert.equal(responding.length, load_avg.length);
  const worker = await readHistory(deployment.metrics.url, "?worker=161");
  assert.equal(worker.step_seconds, 10);
  for (const id of ["162", "a1", ""]) {
    const response = await fetch(`${deployment.metrics.url}/api/v1/history?worker=${id}`);
    assert.deepEqual([response.status, await response.json()], [404, {
      error: "no worker that is there has this id",
    }]);
  }
});

// deno-lint-ignore no-explicit-any -- the schema has said what it is
async function readHistory(url: string, query = ""): Promise<any> {
  const past = await (await fetch(`${url}/api/v1/history${query}`)).json();
  assertSchema("history", past);
  return past;
}

Deno.test("--no-web turns the page and the API off, and leaves the links", async () => {
  await using metrics = await startMetrics({
    args: ["--component", "a", "--endpoint", "b", "--no-etcd", "--no-web"],
    env: { NATS_SERVER: "nats://127.0.0.1:1" },
  });
  for (const path of ["/api/v1/fleet", "/api/v1/history", "/api/v1/stream", "/app.js"]) {
    const response = await fetch(`${metrics.url}${path}`);
    assert.deepEqual([response.status, await response.text()], [404, "not found; see /metrics\n"], path);
  }
  assert.match(await (await fetch(metrics.url)).text(), /<a href="\/metrics">/);
  assert.match(await metrics.page(), /^dynamo_metrics_up\{/m);
});

Deno.test("no answer of the API lets another origin read it", async () => {
  await using metrics = await startMetrics({
    args: ["--component", "a", "--endpoint", "b", "--no-etcd"],
    env: { NATS_SERVER: "nats://127.0.0.1:1" },
  });
  for (const path of ["fleet", "history", "history?worker=1", "stream"]) {
    const response = await fetch(`${metrics.url}/api/v1/${path}`, {
      headers: { origin: "http://elsewhere.test" },
    });
    assert.equal(response.headers.get("access-control-allow-origin"), null);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.match(response.headers.get("cache-control")!, /^no-store\b/);
    await response.body?.cancel();
  }
});
