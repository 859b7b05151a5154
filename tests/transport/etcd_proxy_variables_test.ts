import assert from "node:assert/strict";
import { requirePassword } from "../../tools/etcd_gateway.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { eventually } from "../helpers/eventually.ts";
import { startMetrics } from "../helpers/metrics_process.ts";

Deno.test("proxy variables never stand between us and etcd, nor its login", async () => {
  await using etcd = await startEtcd();
  await requirePassword(etcd.url, { username: "root", password: "secret" });
  using proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked: string[] = [];
  const asking = (async () => {
    for await (const connection of proxy) {
      const bytes = new Uint8Array(1_000);
      const n = await connection.read(bytes) ?? 0;
      asked.push(new TextDecoder().decode(bytes.subarray(0, n)).split("\r\n")[0]!);
      connection.close();
    }
  })();
  const url = `http://127.0.0.1:${proxy.addr.port}`;
  const names = ["grpc_proxy", "http_proxy", "https_proxy", "all_proxy"];
  const env = Object.fromEntries(names.flatMap((name) => [[name, url], [name.toUpperCase(), url]]));
  {
    await using metrics = await startMetrics({
      args: ["--component", "my_component", "--endpoint", "my_endpoint", "--no-nats"],
      env: {
        ...env,
        DENO_NO_UPDATE_CHECK: "1", // Deno's own question goes to the proxy.
        no_proxy: ".svc,10.0.0.0/8",
        ETCD_ENDPOINTS: etcd.url,
        ETCD_AUTH_USERNAME: "root",
        ETCD_AUTH_PASSWORD: "secret",
      },
    });
    await eventually(async () => assert.match(await metrics.page(), /^dynamo_metrics_etcd_connected 1$/m));
  }
  proxy.close();
  await asking.catch(() => {});
  assert.deepEqual(asked, []);
});
