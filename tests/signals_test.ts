import assert from "node:assert/strict";
import { etcdKeys } from "../tools/etcd_gateway.ts";
import { ownCommand, ownProgram, Program, servedUrl } from "../tools/program.ts";
import { startEtcd } from "../tools/servers/etcd.ts";
import { freePorts } from "../tools/servers/ports.ts";
import { startPushgateway } from "../tools/servers/pushgateway.ts";
import { eventually } from "./helpers/eventually.ts";

const named = ["--component", "a", "--endpoint", "b", "--host", "127.0.0.1", "--port", "0"];

/** What ends a program, and the code of one that is told so a second time. */
const SIGNALS = [["SIGHUP", 129], ["SIGINT", 130], ["SIGQUIT", 131], ["SIGTERM", 143]] as const;

/** The signals that the log says it was ended by. */
function endings(log: string): string[] {
  return [...log.matchAll(/Received a signal, ending gracefully signal=(\S+)$/gm)].map(([, name]) => name!);
}

for (const [signal] of SIGNALS) {
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

Deno.test("each signal deletes the pushed group, is named in one line of the log, and ends metrics with 0", async () => {
  await using gateway = await startPushgateway();
  const pushed = async () => await (await fetch(`${gateway.url}/metrics`)).text();
  for (const [signal] of SIGNALS) {
    await using metrics = ownProgram("main.ts", {
      args: [...named, "--no-etcd", "--push-url", gateway.url, "--push-interval", "0.2"],
      env: { NATS_SERVER: "nats://127.0.0.1:1" },
    });
    await eventually(async () => assert.match(await pushed(), /^dynamo_metrics_up/m));
    assert.equal(await metrics.stop(signal), 0);
    assert.doesNotMatch(await pushed(), /^dynamo_metrics_up/m, signal);
    assert.deepEqual(endings(metrics.log), [signal]);
  }
});

Deno.test("each signal takes the keys of mock_worker away, is named in one line of the log, and ends it with 0", async () => {
  await using etcd = await startEtcd();
  for (const [signal] of SIGNALS) {
    await using worker = ownProgram("mock_worker.ts", {
      args: ["--release", "1.6.1"],
      env: { ETCD_ENDPOINTS: etcd.url, NATS_SERVER: "nats://127.0.0.1:1" },
    });
    await worker.logged(/Connected to etcd/);
    await eventually(async () => assert.equal((await etcdKeys(etcd.url)).length, 4));
    assert.equal(await worker.stop(signal), 0);
    assert.deepEqual(await etcdKeys(etcd.url), [], signal);
    assert.deepEqual(endings(worker.log), [signal]);
  }
});

for (const [signal, code] of SIGNALS) {
  Deno.test(`${signal} after another signal ends metrics at once, with the code that a shell gives for it`, async () => {
    // A Pushgateway that answers nothing: deleting the group at the end waits for it.
    const deleting = Promise.withResolvers<void>();
    const unanswered = Promise.withResolvers<Response>();
    await using gateway = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      ({ method }) => {
        if (method !== "DELETE") return new Response();
        deleting.resolve();
        return unanswered.promise;
      },
    );
    await using metrics = ownProgram("main.ts", {
      args: [...named, "--no-etcd", "--push-url", `http://127.0.0.1:${gateway.addr.port}`],
    });
    await servedUrl(metrics);
    const first = metrics.stop("SIGTERM");
    await deleting.promise;
    await metrics.stop(signal);
    assert.equal(await first, code);
    unanswered.resolve(new Response());
  });
}

Deno.test("a hangup that the kernel and the shell both tell of is one: the pushed group is deleted", async () => {
  const deleted = Promise.withResolvers<void>();
  await using gateway = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ method }) => {
    if (method === "DELETE") {
      Deno.kill(metrics.pid, "SIGHUP");
      deleted.resolve();
    }
    return new Response();
  });
  await using metrics = ownProgram("main.ts", {
    args: [...named, "--no-etcd", "--push-url", `http://127.0.0.1:${gateway.addr.port}`],
  });
  await servedUrl(metrics);
  assert.equal(await metrics.stop("SIGHUP"), 0);
  await deleted.promise;
  assert.deepEqual(endings(metrics.log), ["SIGHUP"]);
});

Deno.test({
  name: "under nohup SIGHUP is not heard, and other signals are",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const files = [["main.ts", [...named, "--no-etcd"]], ["mock_worker.ts", ["--no-etcd"]]] as const;
    for (const [file, args] of files) {
      await using program = new Program({ command: "nohup", args: ownCommand(file, args) });
      await program.logged(/Cannot reach NATS/);
      Deno.kill(program.pid, "SIGHUP");
      assert.equal(await program.stop("SIGTERM"), 0);
      assert.deepEqual(endings(program.log), ["SIGTERM"]);
    }
  },
});
