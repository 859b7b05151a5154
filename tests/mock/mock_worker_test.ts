import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { eventually } from "../helpers/eventually.ts";
import { etcdKeys } from "../../tools/etcd_gateway.ts";
import { NatsObserver } from "../helpers/nats_observer.ts";

Deno.test("mock_worker is found in etcd and NATS, and SIGTERM and SIGINT remove it with code 0 in two seconds", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using observer = await NatsObserver.connect(nats.url);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await using program = start(["--workers", "2", "--release", "0.3.0"], {
      NATS_SERVER: nats.url,
      ETCD_ENDPOINTS: etcd.url,
    });
    await eventually(async () => assert.equal((await etcdKeys(etcd.url)).length, 2));
    await eventually(async () => {
      assert.equal((await observer.ask("$SRV.STATS.dynamo_my_component", { count: 2 })).length, 2);
    });
    assert.match(program.log, STARTED);
    await eventually(() => assert.match(program.log, STATS));
    assert.deepEqual(await connectionNames(nats.monitorUrl), ["mock_worker dynamo/my_component/my_endpoint"]);
    assert.equal(await program.end(signal), 0);
    assert.deepEqual(await etcdKeys(etcd.url), [], program.log);
  }
});

Deno.test("flags win over the environment, and DYN_LOG silences the loads", async () => {
  await using nats = await startNats();
  await using observer = await NatsObserver.connect(nats.url);
  await using program = start(
    ["--no-etcd", "--nats-server", nats.url, "--namespace", "other", "--seed", "7"],
    {
      NATS_SERVER: "nats://127.0.0.1:1",
      DYN_NAMESPACE: "elsewhere",
      DYN_LOG: "warn",
    },
  );
  const [stats] = await eventually(async () => {
    const answers = await observer.ask("$SRV.STATS");
    assert.notEqual(answers[0], "nobody");
    return answers;
  });
  assert.match(JSON.parse(stats!).endpoints[0].subject, /^other_my_component_[0-9a-f]{8}\.my_endpoint-/);
  assert.equal(await program.end("SIGTERM"), 0);
  assert.equal(program.log, "");
});

Deno.test("mock_worker started before its servers warns once of each, and is there once both are", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await Promise.all([nats.stop(), etcd.stop()]);
  await using program = start(["--nats-server", nats.url, "--etcd-endpoints", etcd.url]);
  const warnings = () => program.log.split("\n").filter((line) => line.includes(" WARN "));
  await eventually(() => assert.equal(warnings().length, 2));
  await Promise.all([etcd.start(), nats.start()]);
  await eventually(async () => assert.equal((await etcdKeys(etcd.url)).length, 1));
  await eventually(() => assert.match(program.log, /Connected to NATS/));
  const [natsWarning, etcdWarning] = warnings().map((line) => line.split(" WARN ")[1]!).sort();
  const about = (server: string) => `mock_worker::transport: Cannot reach ${server}, trying again`;
  assert.ok(etcdWarning!.startsWith(`${about("etcd")} servers=${etcd.url} cause=`));
  assert.ok(natsWarning!.startsWith(`${about("NATS")} servers=${nats.url} cause=`));
  assert.equal(warnings().length, 2);
  assert.equal(await program.end("SIGTERM"), 0);
});

Deno.test("mock_worker ends with code 0 in two seconds while its servers are away", async () => {
  await using program = start(["--nats-server", "nats://127.0.0.1:1", "--etcd-endpoints", "127.0.0.1:1"]);
  await eventually(() =>
    assert.match(program.log, /Cannot reach NATS.*Cannot reach etcd|Cannot reach etcd.*Cannot reach NATS/s)
  );
  assert.equal(await program.end("SIGINT"), 0);
  assert.match(program.log, /INFO mock_worker: Received a signal, ending gracefully signal=SIGINT\n$/);
});

Deno.test("a second signal ends mock_worker at once", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using program = start(["--nats-server", nats.url, "--etcd-endpoints", etcd.url]);
  await eventually(async () => assert.equal((await etcdKeys(etcd.url)).length, 1));
  await eventually(() => assert.match(program.log, /Connected to etcd/));
  await etcd.pause();
  await eventually(() => {
    if (!program.ended) program.signal("SIGTERM");
    assert.ok(program.ended);
  });
  assert.equal((await program.status).code, 143);
  etcd.resume();
});

Deno.test("mock_worker says what is wrong with its flags in one line and ends with code 2", async () => {
  await using program = start(["--worker", "3"]);
  assert.equal((await program.status).code, 2);
  assert.equal(program.log, "error: unknown flag --worker: did you mean --workers?\n");
});

Deno.test("mock_worker of 1.6.1 runs without any NATS, says where whose page is, and ends with code 1 where that port is taken", async () => {
  await using etcd = await startEtcd();
  const env = { ETCD_ENDPOINTS: etcd.url, NATS_SERVER: "nats://127.0.0.1:1", DYN_SYSTEM_PORT: "0" };
  await using program = start(["--release", "1.6.1"], env);
  await eventually(async () => assert.equal((await etcdKeys(etcd.url)).length, 4));
  const [, origin, id] = /Worker metrics served at (http:\S+)\/metrics worker=(\d+)$/m.exec(program.log) ??
    [];
  const page = await (await fetch(`${origin}/metrics`)).text();
  assert.match(page, new RegExp(`worker_id="${BigInt(id!).toString(16)}"`));
  const { port } = new URL(origin!);
  await using other = start(["--release", "1.6.1", "--system-port", port], env);
  assert.equal((await other.status).code, 1);
  assert.match(other.log, /ERROR mock_worker: Failed to bind to port \d+: .*The port may be in use\.$/m);
  assert.equal(await program.end("SIGTERM"), 0);
  assert.deepEqual(await etcdKeys(etcd.url), []);
  assert.doesNotMatch(program.log, /WARN|NATS/);
});

const STARTED =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z {2}INFO mock_worker: Starting Mock Worker on Endpoint: dynamo\/my_component\/my_endpoint$/m;
const STATS =
  /^\S+Z {2}INFO mock_worker: Stats: ForwardPassMetrics \{ data_parallel_rank: None, request_active_slots: \d+, .* gpu_prefix_cache_hit_rate: [\d.e-]+ \}$/m;

interface Program extends AsyncDisposable {
  /** What it wrote to stderr so far. */
  readonly log: string;
  readonly ended: boolean;
  readonly status: Promise<Deno.CommandStatus>;
  signal(name: Deno.Signal): void;
  /** Sends the signal and waits for the end. */
  end(signal: Deno.Signal): Promise<number>;
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", MAIN, ...args],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) log += text;
  })();
  let ended = false;
  const status = child.status.then(async (status) => {
    await reading;
    ended = true;
    return status;
  });
  return {
    get log() {
      return log;
    },
    get ended() {
      return ended;
    },
    status,
    signal: (name) => child.kill(name),
    async end(signal) {
      child.kill(signal);
      return (await status).code;
    },
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGKILL");
      await status;
    },
  };
}

const MAIN = fileURLToPath(new URL("../../mock_worker.ts", import.meta.url));

/** The names of a NATS server's clients but for our own observers, which have none. */
async function connectionNames(monitorUrl: string): Promise<string[]> {
  const { connections } = await (await fetch(`${monitorUrl}/connz`)).json();
  return connections.map(({ name }: { name?: string }) => name).filter((name?: string) => name !== undefined);
}
