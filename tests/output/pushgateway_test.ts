import assert from "node:assert/strict";
import { startMockWorker } from "../../lib/mock/mock_workers.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { startPushgateway } from "../../tools/servers/pushgateway.ts";
import { ownProgram, servedUrl } from "../../tools/program.ts";
import { eventually } from "../helpers/eventually.ts";
import { USER } from "../../tools/nats_users.ts";

const target = { namespace: "dynamo", component: "my_component", endpoint: "my_endpoint" };
const named = [
  "--component",
  "my_component",
  "--endpoint",
  "my_endpoint",
  "--no-etcd",
  "--poll-interval",
  "0.2",
];

async function fleet() {
  const nats = await startNats();
  const signal = new AbortController().signal;
  const workers = startMockWorker({
    target,
    nats: { servers: [nats.url], auth: USER },
    signal,
    workers: 2,
  });
  return {
    env: { NATS_SERVER: nats.url },
    async [Symbol.asyncDispose]() {
      await workers[Symbol.asyncDispose]();
      await nats[Symbol.asyncDispose]();
    },
  };
}

async function text(url: string): Promise<string> {
  return await (await fetch(url)).text();
}

Deno.test("with --push the group is put at the Pushgateway, named after host and target, and deleted at a clean end", async () => {
  await using servers = await fleet();
  await using gateway = await startPushgateway();
  await using metrics = ownProgram("main.ts", {
    args: [
      ...named,
      "--push",
      "--host",
      "127.0.0.1",
      "--port",
      String(gateway.port),
      "--push-interval",
      "0.2",
    ],
    env: servers.env,
  });
  await eventually(async () => {
    const page = await text(`${gateway.url}/metrics`);
    const instance = `${Deno.hostname()}/dynamo/my_component/my_endpoint`;
    const pushed = page.match(
      new RegExp(`^llm_kv_blocks_active\\{.*instance="${instance}",job="dynamo_metrics",.*`, "gm"),
    );
    assert.equal(pushed?.length, 2);
    assert.match(page, /^dynamo_metrics_pushes_total\{.*\} [1-9]/m);
  });
  assert.doesNotMatch(metrics.log, /metrics server started/);
  assert.match(
    metrics.log,
    /Started pushing metrics to PushGateway at 'http:.*' with job name 'dynamo_metrics'/,
  );
  assert.equal(await metrics.stop(), 0);
  assert.doesNotMatch(await text(`${gateway.url}/metrics`), /llm_kv_blocks_active/);
});

Deno.test("with --push-url alone the page is served and pushed; --push-keep leaves the group", async () => {
  await using servers = await fleet();
  await using gateway = await startPushgateway();
  await using metrics = ownProgram("main.ts", {
    args: [
      ...named,
      "--host",
      "127.0.0.1",
      "--port",
      "0",
      "--push-url",
      gateway.url,
      "--push-interval",
      "0.2",
    ]
      .concat("--push-keep"),
    env: servers.env,
  });
  const url = await servedUrl(metrics);
  await eventually(async () => {
    assert.match(await text(`${gateway.url}/metrics`), /^llm_kv_blocks_active/m);
    assert.match(await text(`${url}/metrics`), /^dynamo_metrics_last_push_timestamp_seconds \d/m);
  });
  assert.equal(await metrics.stop("SIGINT"), 0);
  assert.match(await text(`${gateway.url}/metrics`), /^llm_kv_blocks_active/m);
});

Deno.test("post without an instance is the original's way: the job's group, which stays", async () => {
  await using servers = await fleet();
  await using gateway = await startPushgateway();
  await using metrics = ownProgram("main.ts", {
    args: [...named, "--push", "--host", "127.0.0.1", "--port", String(gateway.port), "--push-method", "post"]
      .concat("--push-instance", "", "--push-job", "dynamo_push_metrics", "--push-interval", "0.2"),
    env: servers.env,
  });
  const pushed = /^llm_kv_blocks_active\{.*instance="",job="dynamo_push_metrics"/m;
  await eventually(async () => assert.match(await text(`${gateway.url}/metrics`), pushed));
  assert.equal(await metrics.stop(), 0);
  assert.match(await text(`${gateway.url}/metrics`), pushed);
});

Deno.test("a Pushgateway that is not there is said once and counted, and pushed to once it is", async () => {
  await using servers = await fleet();
  const [port = 0] = freePorts(1);
  await using metrics = ownProgram("main.ts", {
    args: [...named, "--host", "127.0.0.1", "--port", "0", "--push-url", `http://127.0.0.1:${port}`]
      .concat("--push-interval", "0.1"),
    env: servers.env,
  });
  const url = await servedUrl(metrics);
  await eventually(async () => {
    assert.match(await text(`${url}/metrics`), /^dynamo_metrics_pushes_failed_total [3-9]/m);
  });
  assert.doesNotMatch(await text(`${url}/metrics`), /last_push_timestamp/);
  assert.equal(metrics.log.match(/Failed to push metrics to PushGateway/g)?.length, 1);
  await using _gateway = await startPushgateway({ args: [`--web.listen-address=127.0.0.1:${port}`] });
  await eventually(async () => {
    assert.match(await text(`${url}/metrics`), /^dynamo_metrics_last_push_timestamp_seconds \d/m);
  });
  assert.equal(metrics.log.match(/Pushing metrics to PushGateway again/g)?.length, 1);
});
