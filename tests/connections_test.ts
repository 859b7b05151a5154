import assert from "node:assert/strict";
import { type Connection, readFleet } from "./helpers/api_reader.ts";
import { FIRST } from "./helpers/captured_deployment.ts";
import { Deployment } from "./helpers/deployment.ts";
import { eventually } from "./helpers/eventually.ts";
import { ZmqDeployment } from "./helpers/zmq_deployment.ts";
import { freePorts } from "../tools/servers/ports.ts";

async function connections(url: string): Promise<readonly Connection[]> {
  return (await readFleet(url)).connections!;
}

Deno.test("the API and /metrics say of NATS and etcd whether they are connected, why not, and since when", async () => {
  await using deployment = await Deployment.start({ serversComeLater: true });
  const { url } = deployment.metrics;
  const before = await eventually(async () => {
    const all = await connections(url);
    assert.deepEqual(all.map(({ name, kind, connected }) => [name, kind, connected]), [
      ["NATS", "nats", false],
      ["etcd", "etcd", false],
    ]);
    assert.equal(all[0]!.reason, "connection refused");
    assert.match(all[1]!.reason ?? "", /connection refused/);
    return all;
  });
  assert.equal((await deployment.page()).value("dynamo_metrics_store_connected", { store: "etcd" }), 0);
  await Promise.all([deployment.nats.start(), deployment.etcd.start()]);
  const after = await eventually(async () => {
    const all = await connections(url);
    assert.deepEqual(all.map(({ connected, reason }) => [connected, reason]), [[true, undefined], [
      true,
      undefined,
    ]]);
    return all;
  });
  for (const [n, { since }] of after.entries()) assert.ok(since > before[n]!.since, since);
  assert.equal((await deployment.page()).value("dynamo_metrics_store_connected", { store: "etcd" }), 1);
  await deployment.nats.kill();
  await eventually(async () => {
    const [nats, etcd] = await connections(url);
    assert.deepEqual([nats!.connected, nats!.reason, etcd!.connected], [false, "connection refused", true]);
    assert.ok(nats!.since > after[0]!.since);
  });
});

Deno.test("a publisher that is announced and cannot be reached is among the connections, with its reason, within five seconds", async () => {
  const [nobody] = freePorts(1);
  await using deployment = await ZmqDeployment.start({
    through: ({ worker, topic, port }) => worker === FIRST && topic === "kv_metrics" ? nobody! : port,
  });
  const { url } = deployment.metrics;
  await eventually(async () => {
    const publishers = (await connections(url)).filter(({ kind }) => kind === "zmq");
    assert.deepEqual(publishers.map(({ name, connected }) => [name, connected]), [
      [`127.0.0.1:${nobody} kv_metrics`, false],
    ]);
    assert.match(publishers[0]!.reason!, /refused/);
    const { findings } = await readFleet(url);
    assert.deepEqual(findings!.map(({ code, text }) => [code, text]), [
      ["publisher_unreachable", `the publisher at 127.0.0.1:${nobody} kv_metrics cannot be reached`],
    ]);
    const labels = { code: "publisher_unreachable", severity: "warning" };
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_findings", labels), 1);
    assert.equal(page.value("dynamo_metrics_findings", { code: "worker_silent", severity: "error" }), 0);
  }, { timeoutMs: 5_000 });
  const lines = deployment.metrics.log().split("\n").filter((line) => line.includes("publisher_unreachable"));
  assert.equal(lines.length, 1);
  assert.match(
    lines[0]!,
    / WARN .*Found: the publisher at 127\S* kv_metrics cannot be reached finding=publisher_unreachable count=1/,
  );
});
