import assert from "node:assert/strict";
import { parseMetricsOptions } from "../lib/cli/metrics_options.ts";
import { parseMockOptions } from "../lib/cli/mock_options.ts";
import { parseTopOptions } from "../lib/cli/top_options.ts";
import { UsageError } from "../lib/cli/usage.ts";
import { ownProgram } from "../tools/program.ts";
import { startEtcd } from "../tools/servers/etcd.ts";
import { startNats } from "../tools/servers/nats.ts";

const SECRET = "hunter2";

/** What people put where it does not belong. */
const MISPLACED = [
  `nats://me:${SECRET}@nats:4222`,
  `nats://me:a/${SECRET}@nats:4222`,
  `nats://me:${SECRET}/a@nats:4222`,
  `nats://me:a@${SECRET}@nats:4222`,
  `nats://me:a?${SECRET}@nats:4222`,
  `nats://me:a#${SECRET}@nats:4222`,
  `nats://me:a,${SECRET}@nats:4222`,
  `nats://me:a ${SECRET}@nats:4222`,
  `nats://me:a\n${SECRET}@nats:4222`,
  `nats://one:4222,nats://me:${SECRET}@two:4222`,
  `nats://me:${SECRET}@one:4222,nats://two:4222`,
  `nats://${SECRET}@nats:4222`,
  `nats://me:${SECRET}`,
  `nats://one:4222,nats://me:${SECRET}`,
  `me:${SECRET}@nats:4222`,
  `http://me:${SECRET}@host:1/path`,
  `http://host:1/path?token=${SECRET}`,
  `http://host:1/path?token=a@${SECRET}`,
  `http://host:1/path#${SECRET}`,
  `http://host:1/path?${SECRET}@host`,
  `https://me:${SECRET}@host/{id}/{nonsense}?`,
];

/** The flags whose values are addresses or places of secrets, and their variables. */
const FLAGS = [
  "--nats-server",
  "--nats-auth-credentials-file",
  "--etcd-endpoints",
  "--push-url",
  "--worker-url",
  "--host",
  "--url",
];
const VARIABLES = ["NATS_SERVER", "ETCD_ENDPOINTS", "NATS_AUTH_CREDENTIALS_FILE"];
/** Variables that hold a secret, or the path of one, which is mixed up easily. */
const OF_SECRETS = [
  "NATS_AUTH_PASSWORD",
  "NATS_AUTH_TOKEN",
  "NATS_AUTH_NKEY",
  "ETCD_AUTH_PASSWORD",
  "NATS_AUTH_PASSWORD_FILE",
  "NATS_AUTH_TOKEN_FILE",
  "NATS_AUTH_NKEY_FILE",
  "ETCD_AUTH_PASSWORD_FILE",
];

const NAMED = ["--component", "c", "--endpoint", "e"];

/** What each program says of a command line; nothing where it takes it. */
function usageErrors(argv: readonly string[], env: Readonly<Record<string, string>> = {}): string[] {
  const programs = [
    () => parseMetricsOptions({ argv: [...NAMED, ...argv], env, terminal: false, hostname: "h" }),
    () => parseMetricsOptions({ argv: [...NAMED, "--push", ...argv], env, terminal: false, hostname: "h" }),
    () => parseMockOptions({ argv, env, terminal: false }),
    () => parseTopOptions({ argv, env, terminals: { stdin: false, stdout: false, stderr: false } }),
    () =>
      parseTopOptions({
        argv: [...NAMED, ...argv],
        env,
        terminals: { stdin: false, stdout: false, stderr: false },
      }),
  ];
  return programs.flatMap((parse) => {
    try {
      parse();
      return [];
    } catch (error) {
      assert.ok(error instanceof UsageError, String(error));
      return [error.message];
    }
  });
}

Deno.test("no usage error shows a secret, whichever flag or variable it stands in", () => {
  const users = { NATS_AUTH_USERNAME: "me", ETCD_AUTH_USERNAME: "me" };
  const said = [
    ...FLAGS.flatMap((flag) =>
      MISPLACED.flatMap((text) => [
        ...usageErrors([flag, text]),
        ...usageErrors([`${flag}=${text}`]),
        ...usageErrors([flag, text, flag, text]),
      ])
    ),
    ...VARIABLES.flatMap((name) => MISPLACED.flatMap((text) => usageErrors([], { [name]: text }))),
    ...OF_SECRETS.flatMap((name) => [
      ...usageErrors([], { [name]: SECRET }),
      ...usageErrors([], { ...users, [name]: SECRET }),
    ]),
    ...usageErrors([`--nats-auth-password=${SECRET}`]),
    ...usageErrors([`--nats-auth-password`, SECRET]),
    ...usageErrors([`-p${SECRET}`]),
    ...usageErrors([`--push=${SECRET}`]),
  ];
  assert.ok(said.length > 500);
  assert.deepEqual(said.filter((message) => message.includes(SECRET)), []);
});

Deno.test("the line that refuses a password in an address says where it goes", () => {
  const [nats] = usageErrors(["--nats-server", `nats://u:ab/${SECRET}@nats:4222`]);
  assert.equal(
    nats,
    `--nats-server "nats://…@nats:4222": must be nats://HOST[:PORT] or tls://HOST[:PORT], several separated by ` +
      "commas; a user and a password go into NATS_AUTH_USERNAME and NATS_AUTH_PASSWORD",
  );
  const [etcd] = usageErrors([], { ETCD_ENDPOINTS: `root:${SECRET}@etcd:2379` });
  assert.match(etcd!, /; a user and a password go into ETCD_AUTH_USERNAME and ETCD_AUTH_PASSWORD$/);
});

Deno.test("no log line shows a secret, whatever fails and however much is logged", async () => {
  const folder = await Deno.makeTempDir();
  const pages = `${folder}/pages.json`;
  await Deno.writeTextFile(pages, `[{"targets": ["me:${SECRET}@host:1"]}]`);
  await using nats = await startNats({
    config: "authorization { users = [ { user: other, password: other } ] }",
  });
  const env = {
    NATS_SERVER: nats.url,
    ETCD_ENDPOINTS: "127.0.0.1:1",
    NATS_AUTH_USERNAME: "me",
    NATS_AUTH_PASSWORD: SECRET,
    ETCD_AUTH_USERNAME: "me",
    ETCD_AUTH_PASSWORD: SECRET,
    NATS_AUTH_TOKEN: SECRET,
    NATS_AUTH_NKEY: SECRET,
    HTTP_PROXY: `http://me:${SECRET}@127.0.0.1:1`,
    DYN_LOG: "trace",
  };
  const watching = ["--worker-url", `http://127.0.0.1:1/metrics?token=${SECRET}`, "--worker-url-file", pages];
  const pushing = [
    "--push-url",
    "http://127.0.0.2:1",
    "--push-interval",
    "0.1",
    "--host",
    "127.0.0.1",
    "--port",
    "0",
  ];
  await using metrics = ownProgram("main.ts", { args: [...NAMED, ...watching, ...pushing], env });
  await using mock = ownProgram("mock_worker.ts", { args: ["--workers", "2"], env });
  for (const program of [metrics, mock]) {
    await program.logged(/Cannot reach NATS.*Authorization/);
    await program.logged(/Cannot reach etcd/);
  }
  await metrics.logged(/Failed to push/);
  await metrics.logged(/Cannot read the list/);
  assert.equal(await metrics.stop(), 0);
  assert.equal(await mock.stop(), 0);
  for (const { log } of [metrics, mock]) assert.ok(!log.includes(SECRET), log);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a page's address is logged without its query", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  const env = { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url, DYN_LOG: "trace" };
  await using _workers = ownProgram("mock_worker.ts", { args: ["--release", "0.6.0"], env });
  const url = `http://127.0.0.1:1/metrics?token=${SECRET}`;
  await using metrics = ownProgram("main.ts", {
    args: [
      ...["--component", "my_component", "--endpoint", "my_endpoint", "--worker-url", url],
      ...["--host", "127.0.0.1", "--port", "0"],
    ],
    env,
  });
  const timer = setTimeout(() => metrics.stop(), 30_000);
  await metrics.logged(/A worker's page cannot be read url=http:\/\/127\.0\.0\.1:1\/metrics /);
  clearTimeout(timer);
  assert.ok(!metrics.log.includes(SECRET), metrics.log);
});
