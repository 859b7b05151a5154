import assert from "node:assert/strict";
import { ownProgram, servedUrl } from "../tools/program.ts";
import { freePorts } from "../tools/servers/ports.ts";

const named = ["--component", "a", "--endpoint", "b", "--host", "127.0.0.1", "--port", "0"];

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends metrics with 0 while neither NATS nor etcd is there`, async () => {
    const [nats = 0, etcd = 0] = freePorts(2);
    await using metrics = ownProgram("main.ts", {
      args: named,
      env: { NATS_SERVER: `nats://127.0.0.1:${nats}`, ETCD_ENDPOINTS: `http://127.0.0.1:${etcd}` },
    });
    await metrics.logged(/Cannot reach NATS[^]*Cannot reach etcd|Cannot reach etcd[^]*Cannot reach NATS/);
    assert.equal(await metrics.stop(signal), 0);
  });
}

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
