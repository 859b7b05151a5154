import assert from "node:assert/strict";
import { nkeys } from "nats";
import config from "../../deno.json" with { type: "json" };
import { type MockSettings, parseMockOptions } from "../../lib/cli/mock_options.ts";
import { TARGET_ADDRESS_RULE } from "../../lib/dynamo/target.ts";
import { type Invocation, UsageError } from "../../lib/cli/usage.ts";

const NAME_RULE =
  "one or more characters without white space, control characters, '*', '>' and empty parts between dots";
const NATS_RULE = "nats://HOST[:PORT] or tls://HOST[:PORT], several separated by commas";
const NATS_LOGIN = "a user and a password go into NATS_AUTH_USERNAME and NATS_AUTH_PASSWORD";
const ETCD_RULE = "http://HOST:PORT, https://HOST:PORT or HOST:PORT, several separated by commas";
const WORKERS_RULE = "a whole number from 1 to 10000";
const PORT_RULE = "a port from 0 to 65535, 0 for a free one, or -1 for none";
const SEED_RULE = "a whole number from 0 to 9007199254740991";

/** Arguments, environment, and the message. */
const BAD: readonly (readonly [args: string[], env: Invocation["env"], message: string])[] = [
  [["--worker", "3"], {}, "unknown flag --worker: did you mean --workers?"],
  [["--etcd"], {}, "unknown flag --etcd: did you mean --no-etcd?"],
  [["--xyzzy"], {}, "unknown flag --xyzzy: see --help"],
  [["--a\nb"], {}, 'unknown flag "--a\\nb": see --help'],
  [["-n", "3"], {}, "unknown flag -n: see --help"],
  [["3"], {}, '"3": must be a flag, as in --help'],
  [["--steady", "yes"], {}, '"yes": must be a flag, as in --help'],
  [["--steady=yes"], {}, "--steady: takes no value"],
  [["--workers"], {}, `--workers has no value: must be ${WORKERS_RULE}`],
  [["--workers", "1", "--workers", "2"], {}, '--workers "2": is given twice'],
  ...["0", "10001", "-1", "1.5", "1e3", "0x10", "", " 3", "many", "99999999999999999999"].map((text) =>
    [["--workers", text], {}, `--workers "${text}": must be ${WORKERS_RULE}`] as [string[], object, string]
  ) as (readonly [string[], Invocation["env"], string])[],
  [["--seed=-1"], {}, `--seed "-1": must be ${SEED_RULE}`],
  [["--seed", "9007199254740992"], {}, `--seed "9007199254740992": must be ${SEED_RULE}`],
  [
    ["--release", "0.1.2"],
    {},
    '--release "0.1.2": must be one of 0.1.0, 0.1.1, 0.2.1, 0.3.0, 0.3.2, 0.6.0, 0.7.1, 0.8.1, 0.9.1, 1.2.1, 1.4.2, 1.6.1',
  ],
  [
    ["--event-plane", "nats"],
    {},
    "--event-plane: release 0.1.1 has no choice, those since 0.9.1 have",
  ],
  [
    ["--event-plane", "zmq", "--release", "0.8.1"],
    {},
    "--event-plane: release 0.8.1 has no choice, those since 0.9.1 have",
  ],
  [
    ["--event-plane", "tcp", "--release", "0.9.1"],
    {},
    '--event-plane "tcp": must be one of nats, zmq',
  ],
  [
    ["--release", "1.6.1"],
    { DYN_EVENT_PLANE: "kafka" },
    'DYN_EVENT_PLANE "kafka": must be one of nats, zmq',
  ],
  [
    ["--no-etcd", "--release", "1.4.2"],
    {},
    "--no-etcd: the ZMQ sockets of release 1.4.2 are found by etcd alone; --event-plane nats needs none",
  ],
  [
    ["--no-etcd", "--release", "0.9.1"],
    { DYN_EVENT_PLANE: "zmq" },
    "--no-etcd: the ZMQ sockets of release 0.9.1 are found by etcd alone; --event-plane nats needs none",
  ],
  [
    ["--system-port", "8081"],
    {},
    "--system-port: workers of release 0.1.1 have no page, those since 0.6.0 have",
  ],
  [["--system-port", "65536", "--release", "0.6.0"], {}, `--system-port "65536": must be ${PORT_RULE}`],
  [["--release", "0.6.0"], { DYN_SYSTEM_PORT: "-2" }, `DYN_SYSTEM_PORT "-2": must be ${PORT_RULE}`],
  [
    ["--system-port", "8081", "--release", "1.6.1", "--workers", "2"],
    {},
    '--system-port "8081": must be 0, a free port for each, with 2 workers',
  ],
  [
    ["--release", "1.6.1", "--workers", "2"],
    { DYN_SYSTEM_PORT: "8081" },
    'DYN_SYSTEM_PORT "8081": must be 0, a free port for each, with 2 workers',
  ],
  [["--component", ""], {}, `--component "": must be ${NAME_RULE}`],
  [["--component", "a b"], {}, `--component "a b": must be ${NAME_RULE}`],
  [["--endpoint", "a*"], {}, `--endpoint "a*": must be ${NAME_RULE}`],
  [["--namespace", "a\tb"], {}, `--namespace "a\\tb": must be ${NAME_RULE}`],
  [[], { DYN_NAMESPACE: "a>b" }, `DYN_NAMESPACE "a>b": must be ${NAME_RULE}`],
  [["--endpoint", "dyn://a.b"], {}, `--endpoint "dyn://a.b": must be ${TARGET_ADDRESS_RULE}`],
  [["--endpoint", "dyn://a.b c.d"], {}, `--endpoint "dyn://a.b c.d": must be ${TARGET_ADDRESS_RULE}`],
  [
    ["--endpoint", "dyn://a.b.c", "--namespace", "a"],
    {},
    "--endpoint dyn://…: must not stand beside --namespace, which the address names",
  ],
  [
    ["--component", "dyn://a.b.c"],
    {},
    `--component "dyn://a.b.c": must be one name: dyn://NAMESPACE.COMPONENT.ENDPOINT is given with --endpoint`,
  ],
  [["--nats-server", "http://a:1"], {}, `--nats-server "http://a:1": must be ${NATS_RULE}`],
  [
    ["--nats-server", "nats://me:secret@a"],
    {},
    `--nats-server "nats://…@a": must be ${NATS_RULE}; ${NATS_LOGIN}`,
  ],
  [["--nats-server", "nats://a:65536"], {}, `--nats-server "nats://a:65536": must be ${NATS_RULE}`],
  [[], { NATS_SERVER: "nats://a:1,,nats://b" }, `NATS_SERVER "nats://a:1,,nats://b": must be ${NATS_RULE}`],
  [["--etcd-endpoints", "ftp://a:1"], {}, `--etcd-endpoints "ftp://a:1": must be ${ETCD_RULE}`],
  [[], { ETCD_ENDPOINTS: "a b" }, `ETCD_ENDPOINTS "a b": must be ${ETCD_RULE}`],
  [
    ["--etcd-auth-username", "me"],
    {},
    "ETCD_AUTH_PASSWORD is missing: must be the password of the user in ETCD_AUTH_USERNAME",
  ],
  [
    [],
    { NATS_AUTH_USERNAME: "me" },
    "NATS_AUTH_PASSWORD is missing: must be the password of the user in NATS_AUTH_USERNAME",
  ],
  [
    [],
    { NATS_AUTH_TOKEN_FILE: "/no/such" },
    "NATS_AUTH_TOKEN_FILE: must be a regular file of text that can be read and is not empty",
  ],
  [
    ["--nats-auth-credentials-file", "/no/such"],
    {},
    "--nats-auth-credentials-file: must be a regular file of text that can be read and is not empty",
  ],
  [
    ["--nats-auth-credentials-file", "/dev/zero"],
    {},
    "--nats-auth-credentials-file: must be a regular file of text that can be read and is not empty",
  ],
  [
    [],
    { NATS_AUTH_TOKEN_FILE: "/dev/zero" },
    "NATS_AUTH_TOKEN_FILE: must be a regular file of text that can be read and is not empty",
  ],
];

for (const [argv, env, message] of BAD) {
  Deno.test(`mock_worker refuses ${JSON.stringify(argv)} with ${JSON.stringify(env)}`, () => {
    assert.throws(() => parseMockOptions({ argv, env, terminal: false }), new UsageError(message));
  });
}

Deno.test("without flags and environment mock_worker is the original's one worker", () => {
  const { logging, ...settings } = parse([]);
  assert.deepEqual(settings, {
    target: { namespace: "dynamo", component: "my_component", endpoint: "my_endpoint" },
    workers: 1,
    steady: false,
    release: "0.1.1",
    connections: {
      nats: {
        servers: ["nats://localhost:4222"],
        auth: { kind: "password", username: "user", password: "user" },
      },
      etcd: { endpoints: ["http://localhost:2379"] },
      unused: [],
    },
  });
  assert.deepEqual(logging, {
    program: "mock_worker",
    filter: { fallback: "info", targets: [] },
    format: "text",
    localTime: false,
    colors: false,
  });
});

Deno.test("every flag of mock_worker is taken", () => {
  const { logging: _, ...settings } = parse([
    ...[
      "--namespace",
      "ns",
      "--component",
      "Vllm-Worker",
      "--endpoint=chat/completions",
      "--workers",
      "10000",
    ],
    ...["--seed", "007", "--steady", "--release", "0.6.0", "--no-etcd"],
    ...["--nats-server", "nats://a:1, tls://[::1]:2", "--nats-auth-username", "me"],
  ], { NATS_AUTH_PASSWORD: "secret" });
  assert.deepEqual(settings, {
    target: { namespace: "ns", component: "Vllm-Worker", endpoint: "chat/completions" },
    workers: 10_000,
    seed: "7",
    steady: true,
    release: "0.6.0",
    connections: {
      nats: {
        servers: ["nats://a:1", "tls://[::1]:2"],
        auth: { kind: "password", username: "me", password: "secret" },
      },
      unused: [],
    },
  });
});

Deno.test("an address stands for the workers' three names", () => {
  const { target } = parse(["--endpoint", "dyn://ns.backend.generate"], { DYN_NAMESPACE: "else" });
  assert.deepEqual(target, { namespace: "ns", component: "backend", endpoint: "generate" });
});

Deno.test("flags win over the environment, and empty variables do not count", () => {
  const env = { DYN_NAMESPACE: "env", NATS_SERVER: "", ETCD_ENDPOINTS: "a:1,https://b:2" };
  const { target, connections } = parse(["--namespace", "flag"], env);
  assert.equal(target.namespace, "flag");
  assert.equal(parse([], env).target.namespace, "env");
  assert.deepEqual(connections.nats.servers, ["nats://localhost:4222"]);
  assert.deepEqual(connections.etcd, { endpoints: ["a:1", "https://b:2"] });
});

Deno.test("NATS is shown a password before a token, a token before an nkey, an nkey before a file", async () => {
  const seed = new TextDecoder().decode(nkeys.createUser().getSeed());
  const credentials = [
    "-----BEGIN NATS USER JWT-----",
    "e30.e30.e30",
    "------END NATS USER JWT------",
    "-----BEGIN USER NKEY SEED-----",
    seed,
    "------END USER NKEY SEED------",
    "",
  ].join("\n");
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, credentials);
  const env: Record<string, string> = {
    NATS_AUTH_USERNAME: "me",
    NATS_AUTH_PASSWORD_FILE: file,
    NATS_AUTH_TOKEN: "token",
    NATS_AUTH_NKEY: seed,
    NATS_AUTH_CREDENTIALS_FILE: file,
  };
  const expected = [
    ["NATS_AUTH_USERNAME", { kind: "password", username: "me", password: credentials.trimEnd() }],
    ["NATS_AUTH_TOKEN", { kind: "token", token: "token" }],
    ["NATS_AUTH_NKEY", { kind: "nkey", seed }],
    ["NATS_AUTH_CREDENTIALS_FILE", { kind: "credentials", text: credentials }],
  ] as const;
  for (const [name, auth] of expected) {
    assert.deepEqual(parse([], env).connections.nats.auth, auth);
    delete env[name];
  }
  await Deno.remove(file);
});

Deno.test("etcd is shown a name and a password when a name is given", () => {
  const { connections } = parse(["--etcd-auth-username", "root"], { ETCD_AUTH_PASSWORD: "secret" });
  assert.deepEqual(connections.etcd?.auth, { username: "root", password: "secret" });
});

Deno.test("plane and page are the release's own where neither flag nor variable says another", () => {
  const chosen = (argv: string[], env: Invocation["env"] = {}) => {
    const { eventPlane, systemPort } = parse(argv, env);
    return [eventPlane, systemPort];
  };
  const release = ["--release", "1.6.1"];
  assert.deepEqual(chosen(release), [undefined, undefined]);
  assert.deepEqual(chosen([...release, "--event-plane", "nats", "--system-port", "8081"]), ["nats", 8081]);
  assert.deepEqual(chosen(release, { DYN_EVENT_PLANE: "zmq", DYN_SYSTEM_PORT: "0" }), ["zmq", 0]);
  assert.deepEqual(chosen([...release, "--system-port=-1"], { DYN_SYSTEM_PORT: "0" }), [
    undefined,
    undefined,
  ]);
  assert.deepEqual(chosen([...release, "--workers", "2", "--system-port", "0"]), [undefined, 0]);
  assert.deepEqual(chosen([...release, "--event-plane", "nats", "--no-etcd"]), ["nats", undefined]);
  assert.deepEqual(chosen(["--release", "0.9.1", "--no-etcd"]), [undefined, undefined]);
});

Deno.test("a release that never read a variable does not mind it", () => {
  const { eventPlane, systemPort } = parse([], { DYN_EVENT_PLANE: "zmq", DYN_SYSTEM_PORT: "8081" });
  assert.deepEqual([eventPlane, systemPort], [undefined, undefined]);
});

Deno.test("logs follow the variables of Dynamo's programs", () => {
  const logging = (env: Invocation["env"], terminal = true) =>
    (parseMockOptions({ argv: [], env, terminal }) as MockSettings).logging;
  assert.equal(logging({}).colors, true);
  assert.equal(logging({}, false).colors, false);
  assert.equal(logging({ NO_COLOR: "1" }).colors, false);
  assert.equal(logging({ DYN_SDK_DISABLE_ANSI_LOGGING: "true" }).colors, false);
  assert.equal(logging({ DYN_SDK_DISABLE_ANSI_LOGGING: "0" }).colors, true);
  assert.equal(logging({ DYN_LOGGING_JSONL: "1" }).format, "jsonl");
  assert.equal(logging({ DYN_LOG_USE_LOCAL_TZ: "TRUE" }).localTime, true);
  assert.equal(logging({ DYN_LOG: "warn,metrics=debug" }).filter.fallback, "warn");
});

Deno.test("help and version are shown, whatever else is wrong with the values", () => {
  const shown = (...argv: string[]) =>
    (parseMockOptions({ argv, env: {}, terminal: false }) as { shown: string }).shown;
  assert.equal(shown("--version", "--workers", "0"), `mock_worker ${config.version}\n`);
  const help = shown("--workers", "0", "--help");
  const flags =
    "namespace component endpoint workers seed steady release event-plane system-port nats-server etcd-endpoints no-etcd help version";
  for (const flag of flags.split(" ")) assert.ok(help.includes(`\n  --${flag} `), flag);
  for (const text of ["serves no requests", "DYN_NAMESPACE", "NATS_SERVER", "ETCD_ENDPOINTS", "DYN_LOG"]) {
    assert.ok(help.includes(text), text);
  }
});

function parse(argv: readonly string[], env: Invocation["env"] = {}): MockSettings {
  const settings = parseMockOptions({ argv, env, terminal: false });
  assert.ok(!("shown" in settings));
  return settings;
}
