import assert from "node:assert/strict";
import { parseTopOptions, type TopSettings } from "../../lib/cli/top_options.ts";
import { NAME_RULE, TARGET_ADDRESS_RULE } from "../../lib/dynamo/target.ts";

const named = ["--component", "a", "--endpoint", "b"];
const TERMINALS = { stdin: true, stdout: true, stderr: true };

function parse(
  argv: readonly string[],
  { env = {}, terminals = TERMINALS }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly terminals?: typeof TERMINALS;
  } = {},
): TopSettings {
  const settings = parseTopOptions({ argv, env, terminals });
  assert.ok(!("shown" in settings));
  return settings;
}

const url = "http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH], without a user";
const bad: readonly [argv: readonly string[], message: string][] = [
  [[], "--component is missing: say it as in --component VllmWorker; or say --url"],
  [["--endpoint", "b"], "--component is missing: say it as in --component VllmWorker; or say --url"],
  [["--component", "a"], "--endpoint is missing: say it as in --endpoint load_metrics"],
  [["--component", "a", "--endpoint", "b c"], `--endpoint "b c": must be ${NAME_RULE}`],
  [["--endpoint", "dyn://a.b"], `--endpoint "dyn://a.b": must be ${TARGET_ADDRESS_RULE}`],
  [
    ["--endpoint", "dyn://a.b.c", "--component", "b"],
    "--endpoint dyn://…: must not stand beside --component, which the address names",
  ],
  [
    ["--endpoint", "dyn://a.b.c", "--url", "http://h"],
    "--url: must not stand beside --endpoint, which says what we watch ourselves",
  ],
  [["--url", ""], `--url "": must be ${url}`],
  [["--url", "localhost:9091"], `--url "localhost:9091": must be ${url}`],
  [["--url", "http://me:secret@h:1"], `--url "http://…@h:1": must be ${url}`],
  [["--url", "http://me:secret@h:1/#/worker/5"], `--url "http://…@h:1/#/worker/5": must be ${url}`],
  [["--url", "#/worker/5"], `--url "#/worker/5": must be ${url}`],
  [["--url", "--component", "a"], `--url has no value: must be ${url}`],
  [
    ["--url", "http://h", ...named],
    "--url: must not stand beside --component, which says what we watch ourselves",
  ],
  [
    ["--url", "http://h", "--no-etcd"],
    "--url: must not stand beside --no-etcd, which says what we watch ourselves",
  ],
  [
    [...named, "--no-nats", "--no-etcd"],
    "--no-nats: must not stand beside --no-etcd: nothing is left to ask",
  ],
  [[...named, "--port", "1"], "unknown flag --port: see --help"],
  [[...named, "--ur", "1"], "unknown flag --ur: did you mean --url?"],
  [["top", ...named], `"top": must be a flag, as in --help`],
];

for (const [argv, message] of bad) {
  Deno.test(`metrics top ${JSON.stringify(argv)} is refused in one line, exit code 2`, async () => {
    const main = new URL("../../main.ts", import.meta.url).href;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", main, "top", ...argv],
      env: { DYN_NAMESPACE: "" },
    }).output();
    assert.deepEqual([new TextDecoder().decode(stderr), code, stdout.length], [`error: ${message}\n`, 2, 0]);
  });
}

Deno.test("metrics top takes the target and the connections as metrics does, or an address alone", () => {
  const { source } = parse([...named, "--no-etcd", "--poll-interval", "2"], {
    env: { NATS_SERVER: "nats://n:1" },
  });
  assert.ok(!("url" in source));
  assert.deepEqual(source.target, { namespace: "dynamo", component: "a", endpoint: "b" });
  assert.deepEqual([source.pollIntervalMs, source.limits.staleAfterMs], [2_000, 6_000]);
  assert.deepEqual([source.connections.nats.servers, source.connections.etcd], [["nats://n:1"], undefined]);
  for (const given of ["https://h/prefix/", "https://h/prefix/metrics", "https://h/prefix/metrics/"]) {
    const { source: watched } = parse(["--url", given], { env: { DYN_NAMESPACE: "x" } });
    assert.deepEqual(watched, { url: new URL("https://h/prefix/") });
  }
});

Deno.test("--url takes what stands in the browser's bar, and opens the worker that it names", () => {
  const rows: [given: string, url: string, worker: string | undefined][] = [
    ["http://h:9091/#/worker/18446744073709551615", "http://h:9091/", "18446744073709551615"],
    ["http://h:9091/#/", "http://h:9091/", undefined],
    ["http://h:9091/#", "http://h:9091/", undefined],
    ["http://h:9091#/worker/5", "http://h:9091/", "5"],
    ["https://h/monitor/#/worker/5?from=bar", "https://h/monitor/", "5"],
    ["https://h/monitor/?sort=kv#/worker/5", "https://h/monitor/", "5"],
    ["https://h/monitor/metrics?x#/worker/5", "https://h/monitor/", "5"],
    ["http://h/#/worker/", "http://h/", undefined],
    ["http://h/#/worker/%1b", "http://h/", undefined],
    ["http://h/#/worker/5x", "http://h/", undefined],
  ];
  for (const [given, url, worker] of rows) {
    const settings = parse(["--url", given]);
    assert.deepEqual([settings.source, settings.worker], [{ url: new URL(url) }, worker], given);
  }
});

Deno.test("metrics top takes an address in the place of three names", () => {
  const { source } = parse(["--endpoint", "dyn://ns.b.c"], { env: { DYN_NAMESPACE: "else" } });
  assert.ok(!("url" in source));
  assert.deepEqual(source.target, { namespace: "ns", component: "b", endpoint: "c" });
});

Deno.test("the whole screen needs a terminal at both ends that can do more than print", () => {
  const isFullScreen = (terminals: Partial<typeof TERMINALS>, env = {}) =>
    parse(named, { env, terminals: { ...TERMINALS, ...terminals } }).isFullScreen;
  assert.equal(isFullScreen({}), true);
  assert.equal(isFullScreen({ stderr: false }), true);
  assert.equal(isFullScreen({ stdout: false }), false);
  assert.equal(isFullScreen({ stdin: false }), false);
  assert.equal(isFullScreen({}, { TERM: "dumb" }), false);
});

Deno.test("NO_COLOR takes the colours away, and lines of the log go where they disturb nobody", () => {
  assert.deepEqual([parse(named).colors, parse(named).isLogged], [true, false]);
  assert.equal(parse(named, { env: { NO_COLOR: "1" } }).colors, false);
  assert.equal(parse(named, { terminals: { ...TERMINALS, stderr: false } }).isLogged, true);
});

Deno.test("without a word of UTF-8 the view is in ASCII; of the variables that say so the first that is set counts", () => {
  const rows: [env: Readonly<Record<string, string>>, isAscii: boolean][] = [
    [{}, true],
    [{ LANG: "C" }, true],
    [{ LANG: "de_DE.ISO-8859-1" }, true],
    [{ LANG: "de_DE.UTF-8" }, false],
    [{ LANG: "C.utf8" }, false],
    [{ LC_CTYPE: "UTF-8" }, false],
    [{ LC_CTYPE: "C", LANG: "de_DE.UTF-8" }, true],
    [{ LC_ALL: "POSIX", LC_CTYPE: "UTF-8", LANG: "C.UTF-8" }, true],
    [{ LC_ALL: "", LC_CTYPE: "", LANG: "C.UTF-8" }, false],
  ];
  for (const [env, isAscii] of rows) {
    assert.equal(parse(named, { env }).isAscii, isAscii, JSON.stringify(env));
  }
});
