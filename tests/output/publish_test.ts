import assert from "node:assert/strict";
import { startMockWorker } from "../../lib/mock/mock_workers.ts";
import { NatsLink } from "../../lib/transport/nats.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { eventually } from "../helpers/eventually.ts";
import { startMetrics } from "../helpers/metrics_process.ts";
import { natsUser, USER } from "../../tools/nats_users.ts";

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
const SUBJECT = "namespace.dynamo.l2c.my_component.my_endpoint";

function play(url: string, workers: number) {
  const nats = { servers: [url], auth: USER };
  return startMockWorker({
    target,
    nats,
    signal: new AbortController().signal,
    workers,
    steady: true,
    seed: "1",
  });
}

function listen(url: string): { heard: string[] } & AsyncDisposable {
  const signal = new AbortController().signal;
  const link = new NatsLink({ servers: [url], name: "test", auth: USER, signal });
  const heard: string[] = [];
  link.subscribe(SUBJECT, ({ data }) => heard.push(new TextDecoder().decode(data)));
  return { heard, [Symbol.asyncDispose]: () => link[Symbol.asyncDispose]() };
}

Deno.test("each round in which somebody answers is republished in the shape of 0.1.1", async () => {
  await using nats = await startNats();
  await using listener = listen(nats.url);
  await using metrics = await startMetrics({ args: named, env: { NATS_SERVER: nats.url } });
  await using workers = play(nats.url, 2);
  await eventually(() => assert.ok((listener.heard.at(-1)?.match(/"worker-/g)?.length ?? 0) === 2));
  const { endpoints, load_avg } = JSON.parse(listener.heard.at(-1)!);
  assert.deepEqual(Object.keys(endpoints).toSorted(), [...workers.ids].toSorted());
  const [first] = workers.ids;
  assert.equal(endpoints[first!].name, `worker-${first}`);
  assert.equal(
    endpoints[first!].subject,
    `dynamo_my_component_1854ce00.my_endpoint-${BigInt(first!).toString(16)}`,
  );
  assert.equal(endpoints[first!].data.request_total_slots, 100);
  assert.match(await metrics.page(), new RegExp(`^llm_load_avg\\{.*\\} ${load_avg}$`, "m"));
  assert.match(await metrics.page(), /^dynamo_metrics_publishes_total\{.*\} [1-9]/m);
});

Deno.test("with --no-publish nothing is republished, nor counted", async () => {
  await using nats = await startNats();
  await using listener = listen(nats.url);
  await using metrics = await startMetrics({
    args: [...named, "--no-publish"],
    env: { NATS_SERVER: nats.url },
  });
  await using _workers = play(nats.url, 1);
  await eventually(async () => assert.match(await metrics.page(), /^llm_kv_blocks_active/m));
  await eventually(async () =>
    assert.match(await metrics.page(), /^dynamo_metrics_rounds_total\{.*\} ([5-9]|\d\d)/m)
  );
  assert.deepEqual(listener.heard, []);
  assert.doesNotMatch(await metrics.page(), /publishes/);
});

Deno.test("an aggregate larger than the server takes is left out with one warning, and the page stays whole", async () => {
  await using nats = await startNats({ config: "max_payload: 1024\nmax_pending: 1048576" });
  await using metrics = await startMetrics({ args: named, env: { NATS_SERVER: nats.url } });
  await using _workers = play(nats.url, 8);
  await eventually(async () => {
    const page = await metrics.page();
    assert.match(page, /^dynamo_metrics_publishes_skipped_total\{.*reason="max_payload"\} [2-9]/m);
    assert.equal(page.match(/^llm_kv_blocks_active\{/gm)?.length, 8);
  });
  assert.equal(
    metrics.log().match(/The aggregate is larger than NATS takes/g)?.length,
    1,
  );
});

Deno.test("an aggregate that the user may not publish is counted with one warning, and the page stays whole", async () => {
  const config = `
    authorization {
      users = [
        { user: user, password: user, permissions: { publish: { deny: ["namespace.>"] } } }
        { user: worker, password: worker }
      ]
    }`;
  await using nats = await startNats({ config });
  await using metrics = await startMetrics({ args: named, env: { NATS_SERVER: nats.url } });
  const worker = { servers: [nats.url], auth: natsUser("worker") };
  await using _workers = startMockWorker({ target, nats: worker, signal: new AbortController().signal });
  await eventually(async () => {
    const page = await metrics.page();
    assert.match(page, /^dynamo_metrics_publishes_skipped_total\{.*reason="permission"\} [2-9]/m);
    assert.match(page, /^llm_kv_blocks_active/m);
  });
  assert.equal(
    metrics.log().match(/NATS refuses us a subject operation=publish subject=namespace\.dynamo\.l2c/g)
      ?.length,
    1,
  );
});
