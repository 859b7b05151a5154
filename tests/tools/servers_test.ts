import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { kill } from "node:process";
import { binaryVersion, findBinary } from "../../tools/servers/binaries.ts";
import { unpackPackage } from "../../tools/servers/debian.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { ServerProcess, started } from "../../tools/servers/process.ts";
import { promtool, startPrometheus } from "../../tools/servers/prometheus.ts";
import { startPushgateway } from "../../tools/servers/pushgateway.ts";
import { readUses } from "../../tools/servers/used.ts";
import { eventually } from "../helpers/eventually.ts";

const SERVERS_DIR = new URL("../../tools/servers/", import.meta.url);

const KINDS = [
  {
    name: "nats-server",
    start: async () => {
      const server = await startNats();
      return { server, page: () => `${server.monitorUrl}/varz`, url: () => server.url };
    },
  },
  {
    name: "etcd",
    start: async () => {
      const server = await startEtcd();
      return { server, page: () => `${server.url}/health`, url: () => server.url };
    },
  },
  {
    name: "prometheus-pushgateway",
    start: async () => {
      const server = await startPushgateway();
      return { server, page: () => `${server.url}/metrics`, url: () => server.url };
    },
  },
  {
    name: "prometheus",
    start: async () => {
      const server = await startPrometheus({ config: "" });
      return { server, page: () => `${server.url}/api/v1/status/config`, url: () => server.url };
    },
  },
];

for (const { name, start } of KINDS) {
  Deno.test(`${name} keeps its ports through stop, crash and pause, and disposal leaves nothing`, async () => {
    const { server, page, url } = await start();
    await using _server = server;
    const [firstUrl, firstPage] = [url(), page()];
    await fetchText(page());

    await server.stop();
    await assert.rejects(fetchText(firstPage));
    await server.start();
    await fetchText(firstPage);

    await server.kill();
    assert.equal(server.running, false);
    await server.start();
    await fetchText(firstPage);
    assert.deepEqual([url(), page()], [firstUrl, firstPage]);

    await server.pause();
    await assert.rejects(fetchText(firstPage, 200), { name: "TimeoutError" });
    server.resume();
    await fetchText(firstPage);

    await server.pause();
    const { pid, dir } = server;
    await Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
    assert.equal(isAlive(pid), false);
    await assert.rejects(Deno.stat(dir), Deno.errors.NotFound);
    await assert.rejects(server.start(), { message: `Cannot start ${name}: it was disposed of` });
  });
}

Deno.test("servers listen on 127.0.0.1 only", { ignore: Deno.build.os !== "linux" }, async () => {
  await using nats = await startNats({ config: 'host: "0.0.0.0"' });
  await using etcd = await startEtcd();
  const ports = [nats.url, nats.monitorUrl, etcd.url, etcd.monitorUrl].map((url) =>
    Number(new URL(url).port)
  );
  const table = await Deno.readTextFile("/proc/net/tcp") + await Deno.readTextFile("/proc/net/tcp6");
  for (const port of ports) {
    const hex = port.toString(16).toUpperCase().padStart(4, "0");
    const listening = [...table.matchAll(new RegExp(`([0-9A-F]+):${hex} [0-9A-F]+:0000 0A`, "g"))];
    assert.deepEqual(listening.map((match) => match[1]), ["0100007F"]);
  }
});

Deno.test("nats-server takes a config, takes another on reload, and says why it refuses one", async () => {
  await using nats = await startNats({
    config: 'include "limits.conf"\nserver_name: one',
    files: { "limits.conf": "max_payload: 2048\n" },
  });
  assert.deepEqual(await limits(), { server_name: "one", max_payload: 2048 });

  nats.setConfig("server_name: one\nmax_payload: 4096");
  await nats.reload();
  assert.deepEqual(await limits(), { server_name: "one", max_payload: 4096 });

  nats.setConfig("max_payload: many");
  await assert.rejects(nats.reload(), /^Error: nats-server refuses its config: .*Failed to reload/);
  assert.deepEqual(await limits(), { server_name: "one", max_payload: 4096 });

  async function limits(): Promise<unknown> {
    const { server_name, max_payload } = JSON.parse(await fetchText(`${nats.monitorUrl}/varz`));
    return { server_name, max_payload };
  }
});

Deno.test("nats-server takes a given port and JetStream, and a taken port is an error at once", async () => {
  await using nats = await startNats({ jetstream: true });
  const varz = JSON.parse(await fetchText(`${nats.monitorUrl}/varz`));
  assert.equal(varz.jetstream.config.store_dir, join(nats.dir, "jetstream", "jetstream"));
  await assert.rejects(
    startNats({ port: nats.port }),
    /nats-server ended before it answered \(exit code 1\).*address already in use/s,
  );
  const { port } = nats;
  await nats.stop();
  await using other = await startNats({ port });
  assert.equal(other.url, `nats://127.0.0.1:${port}`);
});

Deno.test("etcd keeps its keys through stop and crash, and a wipe loses them on the same port", async () => {
  await using etcd = await startEtcd();
  const { url } = etcd;
  await call("put", { key: btoa("a"), value: btoa("1") });
  await etcd.stop();
  await etcd.start();
  assert.equal(await value(), "1");
  await etcd.kill();
  await etcd.start();
  assert.equal(await value(), "1");
  await etcd.wipe();
  assert.equal(await value(), undefined);
  assert.equal(etcd.url, url);

  async function call(method: string, body: unknown) {
    return JSON.parse(await fetchText(`${url}/v3/kv/${method}`, 5_000, JSON.stringify(body)));
  }
  async function value(): Promise<string | undefined> {
    const encoded = (await call("range", { key: btoa("a") })).kvs?.[0].value;
    return encoded === undefined ? undefined : atob(encoded);
  }
});

Deno.test("the Pushgateway keeps what was pushed through a stop", async () => {
  await using gateway = await startPushgateway();
  await fetchText(`${gateway.url}/metrics/job/a`, 5_000, "pushed_value 7\n");
  await eventually(async () =>
    assert.match(await fetchText(`${gateway.url}/metrics`), /^pushed_value{.*} 7$/m)
  );
  await gateway.stop();
  await gateway.start();
  assert.match(await fetchText(`${gateway.url}/metrics`), /^pushed_value{.*} 7$/m);
});

Deno.test("Prometheus scrapes, evaluates and objects", async () => {
  await using gateway = await startPushgateway();
  const target = new URL(gateway.url).host;
  await using prometheus = await startPrometheus({
    config: [
      "global: { scrape_interval: 100ms, scrape_timeout: 100ms }",
      "rule_files: [rules/one.yml]",
      `scrape_configs: [{ job_name: gateway, static_configs: [{ targets: ["${target}"] }] }]`,
    ].join("\n"),
    files: { "rules/one.yml": "groups: [{ name: g, rules: [{ record: two, expr: vector(2) }] }]\n" },
  });
  await eventually(async () => {
    assert.deepEqual(await prometheus.query("up"), [
      { metric: { __name__: "up", instance: target, job: "gateway" }, value: 1 },
    ]);
  });
  assert.match(await fetchText(`${prometheus.url}/api/v1/rules`), /vector\(2\)/);
  assert.deepEqual(await prometheus.query("absent_series"), []);
  assert.deepEqual(await prometheus.query("-1 / 0"), [{ metric: {}, value: -Infinity }]);
  assert.deepEqual(await prometheus.query("vector(0 / 0)"), [{ metric: {}, value: NaN }]);
  await assert.rejects(prometheus.query("sum("), /^Error: Cannot evaluate sum\(: .*parse error/);
  await assert.rejects(prometheus.query("up[1m]"), {
    message: "Cannot take the matrix of up[1m] as a vector",
  });
  await assert.rejects(
    startPrometheus({ config: "scrape_configs: 1\n" }),
    /prometheus ended before it answered \(exit code \d\).*cannot unmarshal/s,
  );
});

Deno.test("promtool judges what it is given", async () => {
  const good = await promtool(["check", "metrics"], {
    stdin: "# HELP a_seconds Age.\n# TYPE a_seconds gauge\na_seconds 1\n",
  });
  assert.deepEqual(good, { code: 0, stdout: "", stderr: "" });
  const bad = await promtool(["check", "metrics"], { stdin: "# TYPE a_total gauge\na_total 1\n" });
  assert.notEqual(bad.code, 0);
  assert.match(bad.stderr, /a_total .*"_total"/);
  const unread = await promtool(["--version"], { stdin: "x".repeat(1_000_000) });
  assert.equal(unread.code, 0);
});

/** A program of the shell in a server's place: ready when it printed "ready". */
class ShellProgram extends ServerProcess {
  protected override readonly portCount = 1;
  readonly #script: string;

  constructor(script: string, timeoutMs = 10_000) {
    super("bash", { timeoutMs });
    this.#script = script;
  }

  get port(): number {
    return this.portAt(0);
  }

  protected override args(): readonly string[] {
    return ["-c", this.#script, "program", `${this.port}`];
  }

  protected override isReady(): Promise<boolean> {
    return Promise.resolve(/^ready$/m.test(this.logTail));
  }
}

Deno.test("a server that ignores SIGTERM is killed", async () => {
  await using server = await started(new ShellProgram("trap '' TERM; echo ready; exec sleep 600"));
  const { pid } = server;
  await server.stop();
  assert.equal(isAlive(pid), false);
});

Deno.test("a first start whose port was taken meanwhile is tried on another", async () => {
  const script =
    'echo "$1" >> ports; [ $(wc -l < ports) = 2 ] || { echo "bind: address already in use"; exit 1; }; ' +
    "echo ready; exec sleep 600";
  await using server = await started(new ShellProgram(script));
  const ports = (await Deno.readTextFile(join(server.dir, "ports"))).trim().split("\n").map(Number);
  assert.equal(ports.length, 2);
  assert.notEqual(ports[0], ports[1]);
  assert.equal(server.port, ports[1]);
});

Deno.test("a server that does not answer in time is an error with the last 200 lines of its log", async () => {
  await assert.rejects(
    started(new ShellProgram("for i in {1..300}; do echo line $i; done; exec sleep 600", 500)),
    (error: Error) => {
      const [first, ...log] = error.message.split("\n");
      assert.equal(first, "bash does not answer after 0.5 s; its log ends:");
      assert.deepEqual(log, Array.from({ length: 200 }, (_, i) => `line ${i + 101}`));
      return true;
    },
  );
});

Deno.test("signals to a server that does not run are an error, stopping it is not", async () => {
  await using server = await started(new ShellProgram("echo ready; exec sleep 600"));
  await assert.rejects(server.start(), { message: "Cannot start bash: it is running" });
  await server.stop();
  await server.stop();
  await server.kill();
  assert.throws(() => server.pid, { message: "bash is not running" });
  await assert.rejects(server.pause(), { message: "bash is not running" });
});

Deno.test("a server that could not start leaves no file", async () => {
  await using temp = await tempDir();
  const output = await evaluate(
    `import { startNats } from "${new URL("nats.ts", SERVERS_DIR)}";
     await startNats({ config: "port: }" }).catch((error) => console.log(error.message.split("\\n")[0]));`,
    { TMPDIR: temp.path },
  );
  assert.equal(output, "nats-server ended before it answered (exit code 1); its log ends:\n");
  assert.deepEqual([...Deno.readDirSync(temp.path)], []);
});

Deno.test("every start is written to the file of SERVERS_USED_FILE", async () => {
  await using temp = await tempDir();
  const file = join(temp.path, "used");
  assert.deepEqual(await readUses(file), []);
  await evaluate(
    `import { startNats } from "${new URL("nats.ts", SERVERS_DIR)}";
     await using a = await startNats();
     await a.stop();
     await a.start();`,
    { SERVERS_USED_FILE: file },
  );
  const line = `nats-server ${await binaryVersion("nats-server")} ${await findBinary("nats-server")}`;
  assert.equal(await Deno.readTextFile(file), `${line}\n${line}\n`);
  assert.deepEqual(await readUses(file), [line]);
});

Deno.test("a server ends when its owner is killed", { ignore: Deno.build.os !== "linux" }, async () => {
  await using temp = await tempDir();
  const owner = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { startNats } from "${new URL("nats.ts", SERVERS_DIR)}";
       const server = await startNats();
       console.log(server.pid);
       await new Promise(() => setInterval(() => {}, 1000));`,
    ],
    env: { TMPDIR: temp.path },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = owner.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const pid = Number((await reader.read()).value);
  assert.equal(isAlive(pid), true);
  owner.kill("SIGKILL");
  await owner.status;
  await reader.cancel();
  await eventually(() => assert.equal(isAlive(pid), false));
});

Deno.test("an executable that is nowhere is an error of one line", async () => {
  await assert.rejects(findBinary("no-such-server"), {
    message:
      "Cannot find no-such-server: it is not on PATH and no Debian package of it is known; put it on PATH",
  });
});

Deno.test("install.ts prints what it has, and in one line what it cannot get", async () => {
  const [version, path] = [await binaryVersion("etcd"), await findBinary("etcd")];
  assert.deepEqual(await install(["etcd"], {}), { code: 0, stdout: `etcd ${version} ${path}\n`, stderr: "" });

  await using temp = await tempDir();
  // Without PATH there is no apt-get either. Only the sbin folders are looked at always, and etcd is in none.
  const failed = await install(["etcd"], { PATH: temp.path, SERVERS_CACHE_DIR: join(temp.path, "cache") });
  assert.deepEqual(failed, {
    code: 1,
    stdout: "",
    stderr: "Cannot find etcd: it is not on PATH, and Debian's etcd-server cannot be unpacked: " +
      "apt-get is not there; put etcd on PATH or install the package etcd-server\n",
  });

  async function install(args: string[], env: Record<string, string>) {
    const script = new URL("install.ts", SERVERS_DIR).href;
    const output = await new Deno.Command(Deno.execPath(), { args: ["run", "-Aq", script, ...args], env })
      .output();
    const decoder = new TextDecoder();
    return {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
    };
  }
});

Deno.test("a Debian package is downloaded and unpacked once, however many ask, beside what a dead process left", async () => {
  await using temp = await tempDir();
  const cacheDir = join(temp.path, "cache");
  await Deno.mkdir(join(cacheDir, ".new-left-by-a-dead-process"), { recursive: true });
  const [one, two] = await Promise.all([
    unpackPackage("nats-server", cacheDir),
    unpackPackage("nats-server", cacheDir),
  ]);
  assert.equal(one, two);
  assert.equal(dirname(one), cacheDir);
  assert.match(one, /nats-server_\d[^/]*$/);
  assert.deepEqual([...Deno.readDirSync(cacheDir)].map(({ name }) => name).sort(), [
    ".lock",
    one.slice(cacheDir.length + 1),
  ]);
  const output = await new Deno.Command(join(one, "usr/sbin/nats-server"), { args: ["--version"] }).output();
  assert.match(new TextDecoder().decode(output.stdout), /^nats-server: v2\./);
});

/** Body of a 2xx answer; POST when there is something to send. */
async function fetchText(url: string, timeoutMs = 5_000, body?: string): Promise<string> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined ? {} : { method: "POST", body }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${url} answers ${response.status}: ${text}`);
  return text;
}

/** Runs a module to its end in a process of its own; what it printed. */
async function evaluate(code: string, env: Record<string, string>): Promise<string> {
  const output = await new Deno.Command(Deno.execPath(), { args: ["eval", "-q", code], env }).output();
  const decoder = new TextDecoder();
  assert.ok(output.success, decoder.decode(output.stderr));
  return decoder.decode(output.stdout);
}

/** Whether a process runs; one that ended and was not waited for by its parent does not. */
function isAlive(pid: number): boolean {
  try {
    kill(pid, 0);
  } catch {
    return false;
  }
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return Deno.build.os !== "linux";
  }
}

async function tempDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
