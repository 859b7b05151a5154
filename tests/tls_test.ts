import assert from "node:assert/strict";
import { startEtcd } from "../tools/servers/etcd.ts";
import { startNats } from "../tools/servers/nats.ts";
import { ownProgram } from "../tools/program.ts";
import { eventually } from "./helpers/eventually.ts";
import { startMetrics } from "./helpers/metrics_process.ts";
import { PageReader } from "../tools/page_reader.ts";

/** A certificate for localhost and 127.0.0.1, and that of the CA which signed it; good for a hundred years. */
const folder = new URL("testdata/tls/", import.meta.url).pathname;
const [ca, certFile, keyFile] = ["ca.pem", "server.pem", "server.key"].map((name) => folder + name) as [
  string,
  string,
  string,
];

async function startServers() {
  const ends = new AsyncDisposableStack();
  const nats = ends.use(
    await startNats({ config: `tls { cert_file: "${certFile}", key_file: "${keyFile}" }` }),
  );
  const etcd = ends.use(await startEtcd({ tls: { certFile, keyFile } }));
  return {
    env: { NATS_SERVER: `tls://127.0.0.1:${nats.port}`, ETCD_ENDPOINTS: etcd.url },
    [Symbol.asyncDispose]: () => ends[Symbol.asyncDispose](),
  };
}

Deno.test("NATS and etcd are spoken to over TLS, their CA named by DENO_CERT", async () => {
  await using servers = await startServers();
  const env = { ...servers.env, DENO_CERT: ca };
  await using _workers = ownProgram("mock_worker.ts", { args: ["--workers", "2"], env });
  await using metrics = await startMetrics({
    args: ["--component", "my_component", "--endpoint", "my_endpoint"],
    env,
  });
  await eventually(async () => {
    const page = new PageReader(await metrics.page());
    assert.equal(page.loaded().length, 2);
    assert.deepEqual(page.values("dynamo_metrics_worker_registered"), [1, 1]);
  });
});

Deno.test("a certificate of an unknown CA is the cause that the log gives", async () => {
  await using servers = await startServers();
  await using metrics = await startMetrics({
    args: ["--component", "my_component", "--endpoint", "my_endpoint"],
    env: servers.env,
  });
  await eventually(() => {
    assert.match(metrics.log(), /Cannot reach etcd.*(UnknownIssuer|certificate)/);
    assert.match(metrics.log(), /Cannot reach NATS.*(UnknownIssuer|certificate|issuer)/);
  });
});
