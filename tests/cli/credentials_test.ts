import assert from "node:assert/strict";
import { join } from "node:path";
import { readConnections } from "../../lib/cli/connections.ts";
import { type GivenFlags, readFlags } from "../../lib/cli/usage.ts";
import { CONNECTION_FLAGS } from "../../lib/cli/connections.ts";
import { ownProgram } from "../../tools/program.ts";

type Env = Readonly<Record<string, string>>;

function read(env: Env, argv: readonly string[] = []): ReturnType<typeof readConnections> {
  const flags = readFlags({ program: "p", about: "", examples: [], flags: CONNECTION_FLAGS }, { argv, env });
  assert.ok(!("shown" in flags));
  return readConnections(flags as GivenFlags, env);
}

const DEFAULT = { kind: "password", username: "user", password: "user" };
const SEED = "SUAMLK2ZNL35WSMW37E7UD4VZ7ELPKW7DHC3BWBSD2GCZ7IUQQXZIORRBU";

const NATS: readonly [env: Env, auth: object][] = [
  [{}, DEFAULT],
  [{ NATS_AUTH_USERNAME: "me\n", NATS_AUTH_PASSWORD: "x\n" }, {
    kind: "password",
    username: "me",
    password: "x",
  }],
  [{ NATS_AUTH_USERNAME: "me", NATS_AUTH_PASSWORD: "x\r\n" }, {
    kind: "password",
    username: "me",
    password: "x",
  }],
  [{ NATS_AUTH_USERNAME: "me", NATS_AUTH_PASSWORD: " x " }, {
    kind: "password",
    username: "me",
    password: " x ",
  }],
  [{ NATS_AUTH_TOKEN: "x\n" }, { kind: "token", token: "x" }],
  [{ NATS_AUTH_NKEY: `${SEED}\n` }, { kind: "nkey", seed: SEED }],
  [{ NATS_AUTH_PASSWORD: "x" }, DEFAULT],
];

for (const [env, auth] of NATS) {
  Deno.test(`with ${JSON.stringify(env)} we log in to NATS as ${JSON.stringify(auth)}`, () => {
    assert.deepEqual({ ...read(env).nats.auth }, auth);
  });
}

Deno.test("newlines at the end of etcd's user and password do not count", () => {
  const { etcd } = read({ ETCD_AUTH_USERNAME: "root\n", ETCD_AUTH_PASSWORD: "x\n" });
  assert.deepEqual({ ...etcd?.auth }, { username: "root", password: "x" });
});

for (
  const [what, bytes] of [
    ["bytes that are no UTF-8", [0x80, 0xff, 0xfe, 0x41]],
    ["a zero byte", [0x41, 0, 0x42]],
    ["the bytes of a program", [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]],
  ] as const
) {
  Deno.test(`a file with ${what} is no secret`, async () => {
    const path = await Deno.makeTempFile();
    await Deno.writeFile(path, new Uint8Array(bytes));
    assert.throws(
      () => read({ NATS_AUTH_TOKEN_FILE: path }),
      /NATS_AUTH_TOKEN_FILE: must be a regular file of text/,
    );
    await Deno.remove(path);
  });
}

Deno.test("a secret from a file is read each time that it is asked for", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "secret");
  const put = (text: string) => Deno.writeTextFileSync(path, text);
  put("first\n");
  const { nats, etcd } = read({
    NATS_AUTH_TOKEN_FILE: path,
    ETCD_AUTH_USERNAME: "root",
    ETCD_AUTH_PASSWORD_FILE: path,
  });
  const now = () => [nats.auth.kind === "token" && nats.auth.token, etcd?.auth?.password];
  assert.deepEqual(now(), ["first", "first"]);
  put("second\r\n");
  assert.deepEqual(now(), ["second", "second"]);
  put("");
  assert.deepEqual(now(), ["second", "second"]);
  await Deno.remove(folder, { recursive: true });
  assert.deepEqual(now(), ["second", "second"]);
});

const BY_DENO_CERT = "DENO_CERT names a file of authorities";
const UNUSED: readonly [env: Env, unused: readonly (readonly [variable: string, why: string])[]][] = [
  [{}, []],
  [{ NATS_AUTH_USERNAME: "me", NATS_AUTH_PASSWORD: "x" }, []],
  [{ NATS_AUTH_PASSWORD: "x" }, [["NATS_AUTH_PASSWORD", "NATS_AUTH_USERNAME is missing"]]],
  [{ ETCD_AUTH_PASSWORD: "x" }, [["ETCD_AUTH_PASSWORD", "ETCD_AUTH_USERNAME is missing"]]],
  [{ ETCD_AUTH_PASSWORD_FILE: "x" }, [["ETCD_AUTH_PASSWORD_FILE", "ETCD_AUTH_USERNAME is missing"]]],
  [
    { NATS_AUTH_USERNAME: "me", NATS_AUTH_PASSWORD: "x", NATS_AUTH_TOKEN: "x", NATS_AUTH_NKEY_FILE: "x" },
    [
      ["NATS_AUTH_TOKEN", "NATS_AUTH_USERNAME comes before it"],
      ["NATS_AUTH_NKEY_FILE", "NATS_AUTH_USERNAME comes before it"],
    ],
  ],
  [
    { NATS_AUTH_TOKEN: "x", NATS_AUTH_CREDENTIALS_FILE: "x" },
    [["NATS_AUTH_CREDENTIALS_FILE", "NATS_AUTH_TOKEN comes before it"]],
  ],
  [
    { NATS_AUTH_TOKEN: "x", NATS_AUTH_TOKEN_FILE: "x" },
    [["NATS_AUTH_TOKEN_FILE", "NATS_AUTH_TOKEN comes before it"]],
  ],
  [{ ETCD_AUTH_CA: "x" }, [["ETCD_AUTH_CA", BY_DENO_CERT]]],
  [
    { ETCD_AUTH_CLIENT_CERT: "x", ETCD_AUTH_CLIENT_KEY: "x" },
    [
      ["ETCD_AUTH_CLIENT_CERT", `client certificates cannot be given; ${BY_DENO_CERT}`],
      ["ETCD_AUTH_CLIENT_KEY", `client certificates cannot be given; ${BY_DENO_CERT}`],
    ],
  ],
  [
    { NATS_TLS_CA_CERT_PATH: "x", NATS_TLS_INSECURE: "1", NATS_TLS_WHATEVER: "x", NATS_TLS_EMPTY: "" },
    [
      ["NATS_TLS_CA_CERT_PATH", BY_DENO_CERT],
      ["NATS_TLS_INSECURE", `certificates are always checked; ${BY_DENO_CERT}`],
      ["NATS_TLS_WHATEVER", BY_DENO_CERT],
    ],
  ],
];

for (const [env, unused] of UNUSED) {
  Deno.test(`of ${JSON.stringify(env)} these are not used: ${unused.map(([name]) => name).join(", ") || "none"}`, () => {
    assert.deepEqual(read(env).unused.map(({ variable, why }) => [variable, why]), unused);
  });
}

const SET = { ETCD_AUTH_CA: "x", NATS_TLS_INSECURE: "1", NATS_AUTH_PASSWORD: "x" };
const NAMED = ["--component", "c", "--endpoint", "e"];
const PROGRAMS: readonly [
  what: string,
  file: "main.ts" | "mock_worker.ts",
  args: readonly string[],
  named: readonly string[],
][] = [
  ["metrics", "main.ts", [...NAMED, "--host", "127.0.0.1", "--port", "0"], Object.keys(SET)],
  ["metrics without NATS", "main.ts", [...NAMED, "--no-nats", "--host", "127.0.0.1", "--port", "0"], [
    "ETCD_AUTH_CA",
  ]],
  ["metrics top without etcd", "main.ts", ["top", ...NAMED, "--no-etcd"], [
    "NATS_TLS_INSECURE",
    "NATS_AUTH_PASSWORD",
  ]],
  ["mock_worker", "mock_worker.ts", [], Object.keys(SET)],
];

for (const [what, file, args, named] of PROGRAMS) {
  Deno.test(`${what} warns once of each variable that is set and not used`, async () => {
    const env = { NATS_SERVER: "nats://127.0.0.1:1", ETCD_ENDPOINTS: "127.0.0.1:1", ...SET };
    await using program = ownProgram(file, { args, env });
    await program.logged(/Cannot reach|Cannot see/);
    const said = [...program.log.matchAll(/WARN .*A variable is set that is not used variable=(\w+) why="/g)];
    assert.deepEqual(said.map(([, variable]) => variable).toSorted(), named.toSorted());
  });
}
