import assert from "node:assert/strict";
import { ownProgram, servedUrl } from "../tools/program.ts";
import { startEtcd } from "../tools/servers/etcd.ts";
import { startNats } from "../tools/servers/nats.ts";
import { freePorts } from "../tools/servers/ports.ts";
import { eventually } from "./helpers/eventually.ts";

const named = ["--component", "a", "--endpoint", "b", "--host", "127.0.0.1", "--port", "0"];

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends metrics with 0 while neither NATS nor etcd is there`, async () => {
    const [nats = 0, etcd = 0] = freePorts(2);
    await using metrics = ownProgram("main.ts", {
      args: named,
      env: { NATS_SERVER: `nats://127.0.0.1:${nats}`, ETCD_ENDPOINTS: `http://127.0.0.1:${etcd}` },
    });
    await metrics.logged(/Cannot reach NATS[^]*Cannot reach etcd/);
    assert.equal(await metrics.stop(signal), 0);
  });
}

Deno.test("SIGTERM ends metrics with 0 while NATS and etcd hang, from the start on and later", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  const env = { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url };
  await using before = ownProgram("main.ts", { args: named, env });
  await before.logged(/Connected to NATS[^]*Connected to etcd|Connected to etcd[^]*Connected to NATS/);
  await Promise.all([nats.pause(), etcd.pause()]);
  await using after = ownProgram("main.ts", { args: named, env });
  await servedUrl(after);
  assert.deepEqual(await Promise.all([before.stop(), after.stop()]), [0, 0]);
});

Deno.test("a second signal ends metrics at once, with the code that a shell gives for it", async () => {
  // A Pushgateway that answers nothing: deleting the group at the end waits for it.
  const deleting = Promise.withResolvers<void>();
  const unanswered = Promise.withResolvers<Response>();
  await using gateway = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ method }) => {
    if (method !== "DELETE") return new Response();
    deleting.resolve();
    return unanswered.promise;
  });
  await using metrics = ownProgram("main.ts", {
    args: [...named, "--no-etcd", "--push-url", `http://127.0.0.1:${gateway.addr.port}`],
  });
  await servedUrl(metrics);
  const first = metrics.stop("SIGTERM");
  await deleting.promise;
  await metrics.stop("SIGTERM");
  assert.equal(await first, 143);
  unanswered.resolve(new Response());
});

Deno.test("metrics lives on, and ends with 0, when its log cannot be written", async () => {
  const [port = 0] = freePorts(1);
  const args = [
    "--component",
    "a",
    "--endpoint",
    "b",
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--no-etcd",
  ];
  const child = new Deno.Command("sh", {
    args: ["-c", `exec "$0" "$@" 2>/dev/full`, Deno.execPath(), "run", "-A", "--no-check"]
      .concat(new URL("../main.ts", import.meta.url).href, ...args, "--poll-interval", "0.1"),
    env: { NATS_SERVER: "nats://127.0.0.1:1", DYN_LOG: "debug" },
    stdout: "null",
  }).spawn();
  await eventually(async () => {
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(page, /^dynamo_metrics_rounds_failed_total\{.*\} [5-9]/m);
  });
  child.kill("SIGTERM");
  assert.equal((await child.status).code, 0);
});
