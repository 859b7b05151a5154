import assert from "node:assert/strict";
import { instanceKey } from "../lib/dynamo/instance_key.ts";
import { type WorkerId, workerIdFromHex } from "../lib/dynamo/worker_id.ts";
import { CHANNELS } from "../lib/events/observation.ts";
import { putKeys, revokeLease } from "../tools/etcd_gateway.ts";
import { PageReader } from "../tools/page_reader.ts";
import { startEtcd } from "../tools/servers/etcd.ts";
import { startNats } from "../tools/servers/nats.ts";
import { BLOCKS, CapturedDeployment, FIRST, natsEvents, SECOND } from "./helpers/captured_deployment.ts";
import { eventually } from "./helpers/eventually.ts";
import { KeptFiles } from "./helpers/kept_files.ts";
import { NatsObserver } from "./helpers/nats_observer.ts";
import { PagedDeployment } from "./helpers/paged_deployment.ts";
import { PageServer, workerPage } from "./helpers/page_server.ts";
import { type MetricsProcess, startMetrics } from "./helpers/metrics_process.ts";

const NAMED = [
  "--component",
  "backend",
  "--endpoint",
  "generate",
  "--poll-interval",
  "0.2",
  "--stale-after",
  "2",
];
/** Without any NATS: the default address is one at which nobody is. */
function watch(deployment: CapturedDeployment, ...args: string[]): Promise<MetricsProcess> {
  return startMetrics({
    args: [...NAMED, ...args],
    env: { ETCD_ENDPOINTS: deployment.etcd.url, NATS_SERVER: "nats://127.0.0.1:1" },
  });
}

async function pageOf(metrics: MetricsProcess): Promise<PageReader> {
  return new PageReader(await metrics.page());
}

Deno.test("a deployment of 1.6.1 is shown by etcd and ZMQ alone, and nothing is said of a NATS that is not there", async () => {
  await using deployment = await CapturedDeployment.start("1.6.1-default");
  await using metrics = await watch(deployment);
  await eventually(async () => {
    const page = await pageOf(metrics);
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { [FIRST]: 63, [SECOND]: 61 });
    assert.deepEqual(page.byWorker("llm_kv_blocks_total"), { [FIRST]: 512, [SECOND]: 512 });
    assert.deepEqual(page.byWorker("llm_requests_active_slots"), { [FIRST]: 4, [SECOND]: 4 });
    assert.deepEqual(page.byWorker("llm_requests_total_slots"), { [FIRST]: 4, [SECOND]: 4 });
    assert.deepEqual(page.byWorker("dynamo_metrics_worker_requests_waiting"), { [FIRST]: 1, [SECOND]: 1 });
    assert.deepEqual(page.states(), { [FIRST]: "responding", [SECOND]: "responding" });
    assert.equal(page.value("llm_load_avg"), 62);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
  const ready = await (await fetch(`${metrics.url}/readyz?strict`)).json();
  assert.deepEqual(ready, { status: "ok", reasons: [] });
  assert.doesNotMatch(metrics.log(), /WARN/);
  assert.equal(await metrics.stop(), 0);
});

for (
  const [list, expected] of [
    ["event_zmq", { blocks: BLOCKS, total: {}, channels: ["event_zmq"] }],
    ["card", { blocks: {}, total: { [FIRST]: 512, [SECOND]: 512 }, channels: ["card"] }],
    ["event_nats,card", { blocks: {}, total: { [FIRST]: 512, [SECOND]: 512 }, channels: ["card"] }],
  ] as const
) {
  Deno.test(`of a deployment of 1.6.1 is shown what --channels ${list} brings`, async () => {
    await using deployment = await CapturedDeployment.start("1.6.1-default");
    await using metrics = await watch(deployment, "--channels", list);
    await eventually(async () => {
      const page = await pageOf(metrics);
      assert.deepEqual(page.byWorker("llm_kv_blocks_active"), expected.blocks);
      assert.deepEqual(page.byWorker("llm_kv_blocks_total"), expected.total);
      const isSeenBy = (channel: string) =>
        page.values("dynamo_metrics_worker_channel", { channel }).length > 0;
      assert.deepEqual(CHANNELS.filter(isSeenBy), expected.channels);
      assert.equal(page.value("dynamo_metrics_up"), 1);
      assert.equal((await fetch(`${metrics.url}/readyz?strict`)).status, 200);
    });
  });
}

Deno.test("workers whose publishers are killed are silent, and there again; one whose lease ends is gone at once", async () => {
  await using deployment = await CapturedDeployment.start("1.6.1-default");
  await using metrics = await watch(deployment, "--no-nats");
  await eventually(async () => assert.equal((await pageOf(metrics)).loaded().length, 2));
  await deployment.killPublishers();
  await eventually(async () => {
    const page = await pageOf(metrics);
    assert.deepEqual(page.loaded(), []);
    assert.deepEqual(page.states(), { [FIRST]: "silent", [SECOND]: "silent" });
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
  await deployment.publish();
  await eventually(async () => assert.equal((await pageOf(metrics)).loaded().length, 2));
  await revokeLease(deployment.etcd.url, FIRST);
  await eventually(async () => {
    const page = await pageOf(metrics);
    assert.deepEqual(page.states(), { [SECOND]: "responding" });
    assert.equal(page.value("dynamo_metrics_workers_gone_total", { reason: "deregistered" }), 1);
  });
});

Deno.test("while etcd is away the last known workers and channels stand, and the page says so", async () => {
  await using deployment = await CapturedDeployment.start("1.6.1-default");
  await using metrics = await watch(deployment, "--no-nats");
  await eventually(async () => assert.equal((await pageOf(metrics)).loaded().length, 2));
  await deployment.etcd.kill();
  await eventually(async () => {
    const page = await pageOf(metrics);
    assert.equal(page.value("dynamo_metrics_etcd_connected"), 0);
    assert.equal(page.value("dynamo_metrics_membership_from_etcd"), 0);
    assert.equal(page.value("dynamo_metrics_up"), 0);
    assert.deepEqual(page.states(), { [FIRST]: "responding", [SECOND]: "responding" });
    assert.equal(page.loaded().length, 2);
  });
  await deployment.etcd.start();
  await eventually(async () => assert.equal((await pageOf(metrics)).value("dynamo_metrics_up"), 1));
});

Deno.test("workers of 1.6.1 are shown by their HTTP pages, and by these alone when nothing else is heard", async () => {
  await using deployment = await PagedDeployment.start();
  const usage = { [FIRST]: 68 / 512, [SECOND]: 69 / 512 };
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("dynamo_metrics_worker_kv_cache_usage_ratio"), usage);
    assert.equal(page.values("dynamo_metrics_worker_channel", { channel: "http" }).length, 2);
    assert.equal(page.loaded().length, 2);
  });
  await deployment.captured.killPublishers();
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.values("dynamo_metrics_worker_channel", { channel: "event_zmq" }), []);
    assert.deepEqual(page.byWorker("dynamo_metrics_worker_kv_cache_usage_ratio"), usage);
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { [FIRST]: 68, [SECOND]: 69 });
    assert.deepEqual(page.byWorker("llm_kv_blocks_total"), { [FIRST]: 512, [SECOND]: 512 });
    assert.deepEqual(page.byWorker("llm_requests_active_slots"), { [FIRST]: 4, [SECOND]: 4 });
    assert.deepEqual(page.byWorker("dynamo_metrics_worker_requests_waiting"), { [FIRST]: 1, [SECOND]: 1 });
    assert.deepEqual(page.states(), { [FIRST]: "responding", [SECOND]: "responding" });
  });
  await revokeLease(deployment.captured.etcd.url, FIRST);
  await eventually(async () => {
    const asked = deployment.first.asked;
    assert.deepEqual((await deployment.page()).states(), { [SECOND]: "responding" });
    assert.equal(deployment.first.asked, asked);
  });
  assert.doesNotMatch(deployment.metrics.log(), /WARN|ERROR/);
  assert.equal(await deployment.metrics.stop(), 0);
});

Deno.test("workers whose cards have no address are shown by their pages at --worker-url", async () => {
  await using deployment = await CapturedDeployment.start("0.9.1-default");
  const [withBlocks, withInflight] = [workerPage("0.7.1/worker"), workerPage("0.9.1/worker1.under-load")];
  await using server = new PageServer(({ url }) =>
    new Response(url.endsWith("1eeea20c5af93509") ? withBlocks : withInflight)
  );
  const { port } = new URL(server.origin);
  await using metrics = await watch(deployment, "--no-nats", "--worker-url", `http://{host}:${port}/{id}`);
  await eventually(async () => {
    const page = await pageOf(metrics);
    assert.deepEqual(page.states(), {
      "2228897039544562953": "responding",
      "2228897039544562955": "no_data",
    });
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { "2228897039544562953": 40 });
    assert.deepEqual(page.byWorker("dynamo_metrics_worker_prefix_cache_hit_ratio"), {
      "2228897039544562953": 0.25,
    });
    assert.equal(page.values("dynamo_metrics_worker_channel", { channel: "http" }).length, 2);
  });
});

/** What the events on NATS of a captured deployment say last, by worker. */
const ON_NATS = {
  "0.9.1-default": {
    blocks: { "2228897039544562953": 29, "2228897039544562955": 59 },
    running: {},
    estimates: { "2228897039544562953": 38, "2228897039544562955": 36 },
    islBlocks: { "2228897039544562953": 58, "2228897039544562955": 56 },
  },
  "1.2.1-default": {
    blocks: { "2228897039404508681": 29, "2228897039404508683": 59 },
    running: { "2228897039404508681": 4, "2228897039404508683": 4 },
    estimates: { "2228897039404508681": 38, "2228897039404508683": 46 },
    islBlocks: {},
  },
} as const;

for (const [folder, expected] of Object.entries(ON_NATS)) {
  Deno.test(`a deployment of ${folder} is shown by its events on NATS, routers' estimates apart`, async () => {
    await using nats = await startNats();
    await using deployment = await CapturedDeployment.start(folder);
    await using metrics = await startMetrics({
      args: [...NAMED],
      env: { ETCD_ENDPOINTS: deployment.etcd.url, NATS_SERVER: nats.url },
    });
    await eventually(async () => {
      const page = await pageOf(metrics);
      assert.equal(page.value("dynamo_metrics_nats_connected"), 1);
      assert.equal(page.values("dynamo_metrics_worker_registered").length, 2);
    });
    await using observer = await NatsObserver.connect(nats.url);
    await eventually(async () => { // Subjects are subscribed to when their keys are read: say it until it is heard.
      for (const { subject, body } of natsEvents(folder)) observer.connection.publish(subject, body);
      await observer.connection.flush();
      const page = await pageOf(metrics);
      assert.deepEqual(page.byWorker("llm_kv_blocks_active"), expected.blocks);
      assert.deepEqual(page.byWorker("llm_requests_active_slots"), expected.running);
      assert.deepEqual(page.byWorker("dynamo_metrics_router_active_decode_blocks"), expected.estimates);
      assert.deepEqual(
        Object.keys(page.byWorker("llm_kv_hit_rate_isl_blocks")).toSorted(),
        Object.keys(expected.islBlocks),
      );
      assert.equal(page.values("dynamo_metrics_worker_channel").length, 4); // Events and a card, each.
    });
  });
}

Deno.test("a worker of 0.7.1 is shown by its JSON events on NATS", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using metrics = await startMetrics({
    args: ["--component", "VllmWorker", "--endpoint", "generate", "--poll-interval", "0.2"],
    env: { ETCD_ENDPOINTS: etcd.url, NATS_SERVER: nats.url },
  });
  const ids = ["4392876657294683824", "4392876657294683822"];
  const target = { namespace: "dynamo", component: "VllmWorker", endpoint: "generate" };
  await putKeys(etcd.url, ids.map((id) => instanceKey("v1", target, id as WorkerId)));
  await using observer = await NatsObserver.connect(nats.url);
  const file = new URL("testdata/captures/0.7.1/worker/events.jsonl", import.meta.url);
  const events = (await Deno.readTextFile(file)).trim().split("\n").map((line) => JSON.parse(line))
    .filter(({ subject }) => subject === "namespace.dynamo.kv_metrics");
  await eventually(async () => {
    for (const { subject, body } of events) observer.connection.publish(subject, body);
    const page = await pageOf(metrics);
    assert.equal(page.byWorker("llm_kv_blocks_active")["4392876657294683824"], 40);
    assert.equal(page.byWorker("llm_kv_blocks_total")["4392876657294683824"], 1_000);
    assert.equal(page.loaded().length, 2);
  });
});

Deno.test("without etcd a worker of 1.6.1 is shown by its events on the endpoint's subject, and one of the namespace's is not", async () => {
  await using nats = await startNats();
  await using metrics = await startMetrics({
    args: ["--component", "VllmWorker", "--endpoint", "generate", "--poll-interval", "0.2", "--no-etcd"],
    env: { NATS_SERVER: nats.url },
  });
  await using observer = await NatsObserver.connect(nats.url);
  const captured = (release: string) => {
    const file = new URL(`testdata/captures/${release}/worker/events.jsonl`, import.meta.url);
    return Deno.readTextFileSync(file).trim().split("\n").map((line) => JSON.parse(line))
      .filter(({ subject }) => subject.endsWith(".kv_metrics"))
      .map(({ subject, body_b64 }) => ({ subject, body: Uint8Array.fromBase64(body_b64) }));
  };
  const events = [...captured("1.6.1"), ...captured("1.2.1")];
  await eventually(async () => {
    for (const { subject, body } of events) observer.connection.publish(subject, body);
    const page = await pageOf(metrics);
    assert.deepEqual(Object.values(page.byWorker("llm_kv_blocks_active")).toSorted(), [40, 60]);
    assert.deepEqual(Object.values(page.states()), ["responding", "responding"]);
    assert.ok(
      page.value("dynamo_metrics_events_rejected_total", {
        event: "kv_metrics",
        reason: "unknown_worker",
      })! >= 2,
    );
  });
  await eventually(async () => { // Nobody lists it: it lives by the age of its last event.
    assert.deepEqual(Object.values((await pageOf(metrics)).states()), ["silent", "silent"]);
  });
});

Deno.test("workers' pages that a file lists are read, and another file when it is there", async () => {
  await using page = new PageServer(() => new Response(workerPage("1.2.1/worker1.under-load")));
  await using etcd = await startEtcd();
  const folder = await Deno.makeTempDir();
  const path = `${folder}/pages.json`;
  await Deno.writeTextFile(path, "[");
  const target = { namespace: "dynamo", component: "backend", endpoint: "generate" };
  const ids = ["1eeea20c52a02609", "1eeea20c52a0260b"].map((id) => workerIdFromHex(id)!);
  await putKeys(etcd.url, ids.map((id) => instanceKey("v1", target, id)));
  await using metrics = await startMetrics({
    args: [...NAMED, "--no-nats", "--worker-url-file", path],
    env: { ETCD_ENDPOINTS: etcd.url },
  });
  await eventually(() =>
    assert.match(metrics.log(), /WARN .*Cannot read the list of workers' pages, trying again .*must be JSON/)
  );
  const list = (...targets: string[]) => Deno.writeTextFile(path, JSON.stringify([{ targets }]));
  await list(new URL(page.origin).host);
  await eventually(async () => {
    const shown = await pageOf(metrics);
    const http = (worker_id: string) =>
      shown.value("dynamo_metrics_worker_channel", { worker_id, channel: "http" });
    assert.deepEqual(ids.map(http), [1, undefined]); // The page names its worker.
  });
  assert.match(metrics.log(), /INFO .*Reading the list of workers' pages/);
  await Deno.writeTextFile(path, JSON.stringify([{ targets: ["h:1"], labels: { worker_id: "7" } }]));
  await eventually(() =>
    assert.match(
      metrics.log(),
      /INFO .*Pages are listed of workers that are not registered workers=1 ids=7$/m,
    )
  );
  await list();
  await eventually(async () => {
    assert.deepEqual(
      (await pageOf(metrics)).values("dynamo_metrics_worker_channel", { channel: "http" }),
      [],
    );
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a deployment of file discovery is read from its folder, without etcd and NATS; who has no file is gone", async () => {
  const folder = await Deno.makeTempDir();
  const { files } = JSON.parse(
    await Deno.readTextFile(new URL("testdata/modern/1.6.1-file-discovery/files.json", import.meta.url)),
  ) as { files: { file: string; content: string }[] };
  for (const { file, content } of files) {
    await Deno.mkdir(`${folder}/${file.slice(0, file.lastIndexOf("/"))}`, { recursive: true });
    await Deno.writeTextFile(`${folder}/${file}`, content);
  }
  await using _ = await KeptFiles.start(folder);
  await using metrics = await startMetrics({
    args: [...NAMED, "--no-nats"],
    env: { DYN_DISCOVERY_BACKEND: "file", DYN_FILE_KV: folder },
  });
  const [small, large] = ["283053367750069861", "17235038101677628423"];
  await eventually(async () => {
    const page = await pageOf(metrics);
    assert.deepEqual(page.states(), { [small!]: "discovered", [large!]: "discovered" });
    assert.deepEqual(page.byWorker("llm_kv_blocks_total"), { [small!]: 512, [large!]: 512 });
    assert.deepEqual(page.byWorker("llm_requests_total_slots"), { [small!]: 4, [large!]: 4 });
    assert.equal(page.value("dynamo_metrics_file_store_readable"), 1);
    assert.equal(page.value("dynamo_metrics_etcd_connected"), undefined);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
  await Deno.remove(`${folder}/v1/instances/dynamo%2Fbackend%2Fgenerate%2Fef2f27d69cd15c07`);
  await eventually(async () => {
    assert.deepEqual((await pageOf(metrics)).states(), { [small!]: "discovered" });
  });
  await Deno.rename(folder, `${folder}.away`);
  await eventually(async () => {
    const page = await pageOf(metrics);
    assert.equal(page.value("dynamo_metrics_file_store_readable"), 0);
    assert.deepEqual(page.states(), { [small!]: "discovered" });
  });
  const { reasons } = await (await fetch(`${metrics.url}/readyz`)).json();
  assert.deepEqual(reasons, ["the file store cannot be read"]);
  await Deno.remove(`${folder}.away`, { recursive: true });
});
