import assert from "node:assert/strict";
import { freePorts } from "../../tools/servers/ports.ts";
import { type NatsServer, startNats } from "../../tools/servers/nats.ts";
import { ownProgram, type Program } from "../../tools/program.ts";
import { ca, tlsConfig } from "../helpers/certificates.ts";
import { eventually } from "../helpers/eventually.ts";
import { startMetrics } from "../helpers/metrics_process.ts";
import { PageReader } from "../../tools/page_reader.ts";

/** Three servers of one cluster, each of which knows the two others. */
async function startCluster(tls = ""): Promise<readonly NatsServer[]> {
  const routes = freePorts(3);
  const clients = freePorts(3);
  const servers = await Promise.all(routes.map((port, n) =>
    startNats({
      port: clients[n]!,
      config: `${tls}
        cluster { name: test, listen: "127.0.0.1:${port}", no_advertise: false,
          routes: [${routes.map((other) => `"nats://127.0.0.1:${other}"`).join(", ")}] }`,
    })
  ));
  await eventually(async () => {
    for (const { monitorUrl } of servers) {
      const { connect_urls } = await (await fetch(`${monitorUrl}/varz`)).json();
      assert.equal(connect_urls.length, 3);
    }
  });
  return servers;
}

async function clients({ monitorUrl }: NatsServer): Promise<string[]> {
  const { connections } = await (await fetch(`${monitorUrl}/connz`)).json();
  return connections.map(({ name }: { name: string }) => name);
}

function disposedOf(servers: readonly NatsServer[]): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () =>
      void await Promise.all(servers.map((one) => one[Symbol.asyncDispose]())),
  };
}

Deno.test("when the only named server of a NATS cluster dies, metrics goes on by the others, and comes back to it first", async () => {
  const servers = await startCluster();
  await using _ = disposedOf(servers);
  const [named, second, third] = servers as [NatsServer, NatsServer, NatsServer];
  await using _workers = ownProgram("mock_worker.ts", {
    args: ["--no-etcd", "--workers", "2"],
    env: { NATS_SERVER: second.url },
  });
  await using metrics = await startMetrics({
    args: ["--component", "my_component", "--endpoint", "my_endpoint", "--no-etcd", "--poll-interval", "0.2"],
    env: { NATS_SERVER: named.url },
  });
  const seesBoth = () =>
    eventually(async () => {
      const page = new PageReader(await metrics.page());
      assert.equal(page.loaded().length, 2);
      assert.equal(page.value("dynamo_metrics_up"), 1);
    });
  await seesBoth();
  await named.kill();
  await seesBoth();
  await eventually(() =>
    assert.match(metrics.log(), /Connected to NATS servers=\S+ at=nats:\/\/127\.0\.0\.1:\d+\n/)
  );
  await named.start();
  const isAtSecond = (await clients(second)).some((name) => name.startsWith("metrics "));
  await (isAtSecond ? second : third).kill();
  await eventually(async () => assert.ok((await clients(named)).some((name) => name.startsWith("metrics "))));
});

function connectedAt(program: Program): string[] {
  return [...program.log.matchAll(/Connected to NATS servers=\S+(?: at=(\S+))?\n/g)].map(([, at = "named"]) =>
    at
  );
}

Deno.test("announced servers are checked against the name of the cluster, and against their address where it has none", async () => {
  for (const [host, certificate] of [["localhost", "name"], ["127.0.0.1", "address"]] as const) {
    const servers = await startCluster(tlsConfig(certificate));
    await using _ = disposedOf(servers);
    const [named] = servers as [NatsServer];
    await using mock = ownProgram("mock_worker.ts", {
      args: ["--no-etcd"],
      env: { NATS_SERVER: `tls://${host}:${named.port}`, DENO_CERT: ca },
    });
    await mock.logged(/Connected to NATS/);
    await named.kill();
    await eventually(() => assert.match(connectedAt(mock)[1] ?? "", /^tls:\/\/127\.0\.0\.1:\d+$/));
  }
});
