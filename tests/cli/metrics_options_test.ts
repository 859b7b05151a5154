import assert from "node:assert/strict";
import { parseMetricsOptions } from "../../lib/cli/metrics_options.ts";

const named = ["--component", "a", "--endpoint", "b"];
const names =
  "one or more characters without white space, control characters, '*', '>' and empty parts between dots";
const dynAddress =
  "dyn://NAMESPACE.COMPONENT.ENDPOINT, three names with two dots, without white space, control characters, '*' and '>'";
const oneName = "one name: dyn://NAMESPACE.COMPONENT.ENDPOINT is given with --endpoint";
const interval = "a number of seconds from 0.1 to 86400";
const gateway =
  "http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH], without a user, a query or a fragment";
const workerUrl = "http://… or https://…, with {id} and {host} allowed, without a user or a fragment";
const nats = "nats://HOST[:PORT] or tls://HOST[:PORT], several separated by commas";
const etcd = "http://HOST:PORT, https://HOST:PORT or HOST:PORT, several separated by commas";
const address = "an IPv4 or IPv6 address such as 0.0.0.0 or ::1";

function parse(argv: readonly string[], env: Record<string, string> = {}) {
  return parseMetricsOptions({ argv, env, terminal: false, hostname: "box" });
}

const natsLogin = "NATS_AUTH_USERNAME and NATS_AUTH_PASSWORD";
const bad: readonly [argv: readonly string[], message: string, env?: Record<string, string>][] = [
  [["--endpoint", "b"], "--component is missing: say it as in --component VllmWorker"],
  [["--component", "a"], "--endpoint is missing: say it as in --endpoint load_metrics"],
  [["--component", "", "--endpoint", "b"], `--component "": must be ${names}`],
  [["--component", "a b", "--endpoint", "b"], `--component "a b": must be ${names}`],
  [["--component", "a", "--endpoint", "b>"], `--endpoint "b>": must be ${names}`],
  [["--component", "a*", "--endpoint", "b"], `--component "a*": must be ${names}`],
  [["--component", "a", "--endpoint", "b\u0007"], `--endpoint "b\\u0007": must be ${names}`],
  [[...named, "--namespace", "x..y"], `--namespace "x..y": must be ${names}`],
  [named, `DYN_NAMESPACE "x y": must be ${names}`, { DYN_NAMESPACE: "x y" }],
  [[...named, "--poll-interval", "0"], `--poll-interval "0": must be ${interval}`],
  [[...named, "--poll-interval", "abc"], `--poll-interval "abc": must be ${interval}`],
  [[...named, "--poll-interval=-1"], `--poll-interval "-1": must be ${interval}`],
  [[...named, "--push", "--push-interval", "0.05"], `--push-interval "0.05": must be ${interval}`],
  [[...named, "--push-interval", "abc"], `--push-interval "abc": must be ${interval}`],
  [[...named, "--poll-interval", "0.05"], `--poll-interval "0.05": must be ${interval}`],
  [
    [...named, "--stale-after", "0.5"],
    `--stale-after "0.5": must be a number of seconds from one poll interval to 86400`,
  ],
  [
    [...named, "--poll-interval", "10", "--stale-after", "9.9"],
    `--stale-after "9.9": must be a number of seconds from one poll interval to 86400`,
  ],
  [
    [...named, "--forget-after", "2.9"],
    `--forget-after "2.9": must be a number of seconds from --stale-after to 864000`,
  ],
  [[...named, "--port", "99999"], `--port "99999": must be a whole number from 0 to 65535`],
  [
    [...named, "--push", "--port", "0"],
    `--port "0": must be a whole number from 1 to 65535 with --push`,
  ],
  [[...named, "--push-url", "http://gateway:0"], `--push-url "http://gateway:0": must be ${gateway}`],
  [[...named, "--push-url", "http://gateway?"], `--push-url "http://gateway?": must be ${gateway}`],
  [
    [...named, "--host", "010.0.0.1"],
    `--host "010.0.0.1": must be an IPv4 or IPv6 address such as 0.0.0.0 or ::1`,
  ],
  [
    [...named, "--host", "fe80::1%lo"],
    `--host "fe80::1%lo": must be an IPv4 or IPv6 address such as 0.0.0.0 or ::1`,
  ],
  [[...named, "--push", "--host", "a b"], `--host "a b": must be a host name or an address`],
  [[...named, "--host", "localhost"], `--host "localhost": must be ${address}`],
  [[...named, "--host", ""], `--host "": must be ${address}`],
  [[...named, "--push-method", "patch"], `--push-method "patch": must be put or post`],
  [[...named, "--worker-labels", "some"], `--worker-labels "some": must be full or none`],
  [[...named, "--worker-url", "ftp://{host}/"], `--worker-url "ftp://{host}/": must be ${workerUrl}`],
  [
    [...named, "--worker-url", "http://{host}/", "--worker-url", "http://{port}/"],
    `--worker-url "http://{port}/": must be ${workerUrl}`,
  ],
  [[...named, "--worker-url", "http://b/{name}"], `--worker-url "http://b/{name}": must be ${workerUrl}`],
  [[...named, "--worker-url", "http://b/#a"], `--worker-url "http://b/#…": must be ${workerUrl}`],
  [[...named, "--worker-url", "http://me:secret@b/"], `--worker-url "http://…@b/": must be ${workerUrl}`],
  [[...named, "--worker-url"], `--worker-url has no value: must be ${workerUrl}`],
  [[...named, "--push-url", "ftp://gateway"], `--push-url "ftp://gateway": must be ${gateway}`],
  [[...named, "--push-url", "http://me:secret@gateway"], `--push-url "http://…@gateway": must be ${gateway}`],
  [[...named, "--push-job", ""], `--push-job "": must be not empty`],
  [[...named, "--nats-server", "localhost:4222"], `--nats-server "localhost:4222": must be ${nats}`],
  [named, `NATS_SERVER "http://localhost": must be ${nats}`, { NATS_SERVER: "http://localhost" }],
  [named, `NATS_SERVER "nats://…@h": must be ${nats}; a user and a password go into ${natsLogin}`, {
    NATS_SERVER: "nats://me:secret@h",
  }],
  [[...named, "--nats-server", "nats://256.1.1.1:1"], `--nats-server "nats://256.1.1.1:1": must be ${nats}`],
  [[...named, "--nats-server", "nats://h:0"], `--nats-server "nats://h:0": must be ${nats}`],
  [
    [...named, "--etcd-endpoints", "http://[1.1.1]:1"],
    `--etcd-endpoints "http://[1.1.1]:1": must be ${etcd}`,
  ],
  [
    [...named, "--no-nats", "--no-etcd"],
    "--no-nats: must not stand beside --no-etcd: nothing is left to ask",
  ],
  ...["", "stats,", "stats,stats", "nats", "stats, http"].map((list): typeof bad[number] => [
    [...named, "--channels", list],
    `--channels "${list}": must be some of stats,event_nats,event_zmq,http,card, with a comma between them`,
  ]),
  [
    [...named, "--channels", "event_zmq,http", "--no-etcd"],
    "--channels without stats and event_nats: must not stand beside --no-etcd: nothing is left to ask",
  ],
  [[...named, "--discovery-backend", "mem"], `--discovery-backend "mem": must be etcd or file`],
  [[...named, "--file-kv", "/kv"], "--file-kv: must stand beside --discovery-backend file"],
  [
    [...named, "--file-kv", "/kv"],
    "--file-kv: must stand beside --discovery-backend file",
    { DYN_DISCOVERY_BACKEND: "etcd" },
  ],
  [
    [...named, "--discovery-backend", "file", "--file-kv", ""],
    `--file-kv "": must be the folder of the file store`,
  ],
  ...[
    "dyn://",
    "dyn://b",
    "dyn://a.b",
    "dyn://a.b.c.d",
    "dyn://a..c",
    "dyn://.b.c",
    "dyn://a/b/c",
    "dyn://a.b.c d",
    "dyn://a.*.c",
  ]
    .map((address): typeof bad[number] => [
      ["--endpoint", address],
      `--endpoint "${address}": must be ${dynAddress}`,
    ]),
  [["--endpoint", "dyn://a.b", "--component", "b"], `--endpoint "dyn://a.b": must be ${dynAddress}`],
  [
    ["--endpoint", "dyn://a.b.c", "--namespace", "a"],
    "--endpoint dyn://…: must not stand beside --namespace, which the address names",
  ],
  [
    ["--component", "b", "--endpoint", "dyn://a.b.c"],
    "--endpoint dyn://…: must not stand beside --component, which the address names",
  ],
  [
    ["--endpoint", "dyn://a.b.c", "--component", "b", "--namespace", "a"],
    "--endpoint dyn://…: must not stand beside --namespace, which the address names",
  ],
  [["--component", "dyn://a.b.c"], `--component "dyn://a.b.c": must be ${oneName}`],
  [
    ["--component", "dyn://a.b.c", "--endpoint", "generate"],
    `--component "dyn://a.b.c": must be ${oneName}`,
  ],
  [[...named, "--namespace", "dyn://a"], `--namespace "dyn://a": must be ${oneName}`],
  [["--endpoint", "DYN://a.b.c"], "--component is missing: say it as in --component VllmWorker"],
  [named, `ETCD_ENDPOINTS "ftp://h:1": must be ${etcd}`, { ETCD_ENDPOINTS: "ftp://h:1" }],
  [named, "NATS_AUTH_NKEY: must be the seed of an nkey, SU…", { NATS_AUTH_NKEY: "garbage" }],
  [
    [...named, "--nats-auth-credentials-file", new URL(import.meta.url).pathname],
    "--nats-auth-credentials-file: must be a file with the JWT and the seed of a NATS user",
  ],
  [
    [...named, "--nats-auth-username", "me"],
    "NATS_AUTH_PASSWORD is missing: must be the password of the user in NATS_AUTH_USERNAME",
  ],
  [
    [...named, "--push-url", "http://127.0.0.1:9091"],
    `--push-url "http://127.0.0.1:9091/": must not be our own page, which --host and --port open`,
  ],
  [[...named, "--component", "c"], `--component "c": is given twice`],
  [[...named, "--componnet", "c"], "unknown flag --componnet: did you mean --component?"],
  [[...named, "--push=false"], "--push: takes no value"],
  [[...named, "extra"], `"extra": must be a flag, as in --help`],
  [["topp", ...named], `"topp": did you mean top?`],
  [[...named, "top"], `"top": must come first`],
  [[...named, "help"], `"help": must come first`],
  [
    [...named, "--push-instance", "--push-keep"],
    "--push-instance has no value: must be any text, '' for none",
  ],
  [["--component", "--endpoint", "b"], `--component has no value: must be ${names}`],
  [[...named, "--push-job", "--nope"], "--push-job has no value: must be not empty"],
  [[...named, "--worker-url", "--worker-url", "http://h"], `--worker-url has no value: must be ${workerUrl}`],
  [
    [...named, "--host", "--help"],
    "--host has no value: must be an IPv4 or IPv6 address such as 0.0.0.0 or ::1",
  ],
  [["--nope", "--component", "--endpoint"], `--component has no value: must be ${names}`],
];

for (const [argv, message, env = {}] of bad) {
  Deno.test(`metrics ${JSON.stringify(argv)} with ${JSON.stringify(env)} is refused in one line, exit code 2`, async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", new URL("../../main.ts", import.meta.url).href, ...argv],
      env: { DYN_NAMESPACE: "", ...env },
    }).output();
    const said = new TextDecoder().decode(stderr);
    assert.deepEqual([said, code, stdout.length], [`error: ${message}\n`, 2, 0]);
  });
}

Deno.test("a port in use is one line that names the address, exit code 1", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", new URL("../../main.ts", import.meta.url).href, ...named]
      .concat("--host", "127.0.0.1", "--port", String(port)),
    env: { DYN_LOG: "error" },
  }).output();
  const lines = new TextDecoder().decode(stderr).trim().split("\n");
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, new RegExp(`ERROR metrics: Failed to bind to address 127.0.0.1:${port}: .*in use`));
  assert.equal(code, 1);
});

const addresses: readonly [address: string, env: Record<string, string>, target: readonly string[]][] = [
  ["dyn://dynamo.backend.generate", {}, ["dynamo", "backend", "generate"]],
  ["dyn://ns-1a2b.Vllm_Worker.load_metrics", { DYN_NAMESPACE: "else" }, [
    "ns-1a2b",
    "Vllm_Worker",
    "load_metrics",
  ]],
  ["dyn://a.b.chat/completions", { DYN_NAMESPACE: "x y" }, ["a", "b", "chat/completions"]],
];

for (const [address, env, [namespace, component, endpoint]] of addresses) {
  Deno.test(`${address} with ${JSON.stringify(env)} stands for namespace, component and endpoint`, () => {
    const settings = parse(["--endpoint", address], env);
    assert.ok(!("shown" in settings));
    assert.deepEqual(settings.target, { namespace, component, endpoint });
  });
}

const stores: readonly [
  argv: readonly string[],
  env: Record<string, string>,
  folder: string | undefined,
  mayBeMissing?: boolean,
][] = [
  [[], { DYN_FILE_KV: "/kv" }, undefined],
  [[], { DYN_DISCOVERY_BACKEND: "etcd", TMPDIR: "/scratch" }, undefined],
  [[], { DYN_DISCOVERY_BACKEND: "file" }, "/tmp/dynamo_store_kv", true],
  [["--discovery-backend", "file"], {}, "/tmp/dynamo_store_kv", true],
  [["--discovery-backend", "file"], { TMPDIR: "/scratch/me/" }, "/scratch/me/dynamo_store_kv", true],
  [[], { DYN_DISCOVERY_BACKEND: "file", TMPDIR: "", DYN_FILE_KV: "" }, "/tmp/dynamo_store_kv", true],
  [[], { DYN_DISCOVERY_BACKEND: "file", TMPDIR: "/scratch", DYN_FILE_KV: "/kv" }, "/kv", false],
  [["--file-kv", "/tmp/dynamo_store_kv"], { DYN_DISCOVERY_BACKEND: "file" }, "/tmp/dynamo_store_kv", false],
];

for (const [argv, env, folder, mayBeMissing] of stores) {
  Deno.test(`${JSON.stringify(argv)} with ${JSON.stringify(env)} reads ${folder ?? "etcd"}`, () => {
    const settings = parse([...named, ...argv], env);
    assert.ok(!("shown" in settings));
    assert.deepEqual(settings.fileStore, folder && { folder, mayBeMissing });
  });
}

Deno.test("a value that begins with -- stands after =, and one that begins with - as it is", () => {
  const settings = parse([
    ...named,
    "--push-url",
    "http://g",
    "--push-instance=--push-keep",
    "--push-job",
    "-1",
  ]);
  assert.ok(!("shown" in settings));
  assert.deepEqual([settings.push?.instance, settings.push?.job], ["--push-keep", "-1"]);
  assert.equal(settings.push?.deleteAtEnd, true);
});

Deno.test("help as the first word is --help, in every program and command", async () => {
  const output = async (file: string, args: readonly string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", new URL(`../../${file}`, import.meta.url).href, ...args],
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  };
  const rows = [
    ["main.ts", ["help"], ["--help"]],
    ["main.ts", ["top", "help"], ["top", "--help"]],
    ["main.ts", ["help", "top"], ["top", "--help"]],
    ["mock_worker.ts", ["help"], ["--help"]],
  ] as const;
  for (const [file, said, flag] of rows) {
    const [help, asked] = await Promise.all([output(file, flag), output(file, said)]);
    assert.match(help.stdout, /^\w+.*: .*\n[^]*^ {2}--version /m);
    assert.deepEqual(asked, { code: 0, stdout: help.stdout, stderr: "" }, said.join(" "));
  }
});

Deno.test("pages of workers may be at several addresses", () => {
  const urls = ["http://{host}:8081/metrics", "https://b/{id}?x=1"];
  const settings = parse([...named, ...urls.flatMap((url) => ["--worker-url", url])]);
  assert.ok(!("shown" in settings));
  assert.deepEqual(settings.workerUrls, urls);
});

Deno.test("pages may be without worker labels, and never compressed", () => {
  const settings = parse([...named, "--worker-labels", "none", "--no-gzip"]);
  assert.ok(!("shown" in settings));
  assert.deepEqual([settings.workerLabels, settings.serve?.gzip], ["none", false]);
});

Deno.test("the defaults are the original's, and a pushed group is named after host and target", () => {
  const settings = parse(named);
  assert.ok(!("shown" in settings));
  assert.deepEqual(settings.target, { namespace: "dynamo", component: "a", endpoint: "b" });
  assert.deepEqual(settings.serve, { host: "0.0.0.0", port: 9091, gzip: true });
  assert.equal(settings.workerLabels, "full");
  assert.equal(settings.push, undefined);
  const pushed = parse([...named, "--push", "--host", "gateway"]);
  assert.ok(!("shown" in pushed));
  assert.equal(pushed.serve, undefined);
  const instance = "Ym94L2R5bmFtby9hL2I"; // box/dynamo/a/b
  assert.equal(
    pushed.push?.url.href,
    `http://gateway:9091/metrics/job/dynamo_metrics/instance@base64/${instance}`,
  );
});

Deno.test("a worker is silent after three polls, at least 3 s, and forgotten after ten times that, or as the flags say", () => {
  const rows: [argv: string[], stale: number, forget: number][] = [
    [[], 3_000, 30_000],
    [["--poll-interval", "0.1"], 3_000, 30_000],
    [["--poll-interval", "2.5"], 7_500, 75_000],
    [["--poll-interval", "0.1", "--stale-after", "0.1"], 100, 1_000],
    [["--stale-after", "1", "--forget-after", "1"], 1_000, 1_000],
  ];
  for (const [argv, staleAfterMs, forgetAfterMs] of rows) {
    const settings = parse([...named, ...argv]);
    assert.ok(!("shown" in settings));
    assert.deepEqual(settings.limits, { staleAfterMs, forgetAfterMs, stuckAfterMs: 10_000 });
  }
});

Deno.test("with --push-url alone the page is served and pushed, behind a path prefix too", () => {
  const settings = parse([...named, "--push-url", "https://gateway.example/push/", "--push-instance", ""]);
  assert.ok(!("shown" in settings));
  assert.deepEqual(settings.serve, { host: "0.0.0.0", port: 9091, gzip: true });
  assert.equal(settings.workerLabels, "full");
  assert.equal(settings.push?.url.href, "https://gateway.example/push/metrics/job/dynamo_metrics");
  assert.equal(settings.push?.deleteAtEnd, false);
});

Deno.test("a Pushgateway at our own page is refused under every name of it, another address or port is taken", () => {
  const rows: [url: string, host: string, own: boolean][] = [
    ["http://localhost:9091", "0.0.0.0", true],
    ["http://localhost.:9091", "0.0.0.0", true],
    ["http://127.0.0.2:9091/push", "0.0.0.0", true],
    ["http://[::1]:9091", "::", true],
    ["http://BOX:9091", "0.0.0.0", true],
    ["http://[::1]:9091", "0:0:0:0:0:0:0:1", true],
    ["http://localhost:9091", "127.0.0.1", true],
    ["http://[::ffff:127.0.0.1]:9091", "127.0.0.1", true],
    ["http://[::ffff:10.1.2.3]:9091", "127.0.0.1", false],
    ["http://0.0.0.0:9091", "127.0.0.1", true],
    ["http://127.0.0.2:9091", "127.0.0.1", false],
    ["http://localhost:9092", "0.0.0.0", false],
    ["http://gateway:9091", "0.0.0.0", false],
    ["http://box:9091", "127.0.0.1", false],
  ];
  for (const [url, host, own] of rows) {
    const start = () => parse([...named, "--host", host, "--push-url", url]);
    if (own) assert.throws(start, /must not be our own page/, `${url} ${host}`);
    else assert.doesNotThrow(start, `${url} ${host}`);
  }
});

Deno.test("a usage error that nobody can read is exit code 2 all the same, help is 0", async () => {
  const main = new URL("../../main.ts", import.meta.url).pathname;
  for (const [args, code] of [["--nope 2>/dev/full", 2], ["--help >/dev/full", 0]] as const) {
    const { code: got } = await new Deno.Command("bash", {
      args: ["-c", `"$0" run -A --no-check "$1" ${args}`, Deno.execPath(), main],
    }).output();
    assert.equal(got, code, args);
  }
});
