import assert from "node:assert/strict";

/** Rooms from the ground up: a room imports from rooms before it, and from itself. `mock` stands beside the way through. */
const ORDER = [
  "bytes",
  "log",
  "timing",
  "micro",
  "dynamo",
  "transport",
  "discovery",
  "scrape",
  "events",
  "pages",
  "fleet",
  "deployment",
  "findings",
  "news",
  "exposition",
  "view",
  "telemetry",
  "output",
  "top",
  "mock",
  "cli",
  "commands",
];

/** What a pure room never names: the network, the clock, the environment, the log. */
const IMPURE = /\bDeno\.|\bfetch\(|Date\.now|performance\.|setTimeout|setInterval|new Date\(\)|Math\.random/;
const PURE = ["micro", "dynamo", "fleet", "findings", "exposition", "view"];

/** Who alone may import a library. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  "nats": ["transport"],
  "@grpc/grpc-js": ["transport"],
  "etcd3": ["transport"],
  "negotiator": ["output"],
  "prom-client": ["telemetry"],
  "ink": ["top"],
  "react": ["top"],
  "string-width": ["top"],
  "@types/react": [], // The compiler finds it by itself.
  "eventsource-parser": ["top"],
  "commander": ["cli"],
  "@logtape/logtape": ["log"],
  "@msgpack/msgpack": ["dynamo"],
  "@noble/hashes": ["dynamo", "mock"],
  "pure-rand": ["mock"],
  "ajv": [], // For tests alone.
  "zeromq": [], // For tests alone.
};

const LIB = new URL("../lib/", import.meta.url);
const files = await Promise.all(
  walk(LIB).map(async (url) => {
    const text = await Deno.readTextFile(url);
    const imports = [...text.matchAll(/(?:from|import\(|^import) ?"([^"]+)"/gm)].map(([, specifier]) =>
      specifier!
    );
    const typesOnly = [...text.matchAll(/import type [^;]*? from "([^"]+)"/gs)].map(([, specifier]) =>
      specifier!
    );
    return { path: url.pathname.slice(LIB.pathname.length), url, text, imports, typesOnly };
  }),
);

Deno.test("every room has its place in the order", () => {
  const rooms = new Set(files.map(({ path }) => roomOf(path)));
  assert.deepEqual([...rooms].filter((room) => !ORDER.includes(room)), []);
});

Deno.test("no import points back", () => {
  const wrong = files.flatMap(({ path, url, imports }) =>
    imports.filter((specifier) => specifier.startsWith(".")).flatMap((specifier) => {
      const target = new URL(specifier, url);
      if (!target.pathname.startsWith(LIB.pathname)) {
        return target.pathname.endsWith("deno.json") ? [] : [specifier];
      }
      const room = roomOf(target.pathname.slice(LIB.pathname.length));
      return ORDER.indexOf(room) <= ORDER.indexOf(roomOf(path)) ? [] : [`${path} imports ${room}`];
    })
  );
  assert.deepEqual(wrong, []);
});

Deno.test("metrics without top loads nothing of it, and top no terminal library where stdout is no terminal", () => {
  const loaded = [...loads("commands/metrics.ts")];
  assert.ok(loaded.includes("deployment/deployment.ts"));
  assert.deepEqual(loaded.filter((path) => roomOf(path) === "top"), []);
  const { text } = files.find(({ path }) => path === "commands/top.ts")!;
  assert.match(text, /await import\("..\/top\/terminal.ts"\)/);
  const withInk = files.filter(({ imports }) => imports.includes("ink")).map(({ path }) => path);
  assert.deepEqual(withInk, ["top/terminal.ts"]);
});

Deno.test("the start of metrics waits for no library that its first page does not need", () => {
  const loaded = files.filter(({ path }) => loads("commands/metrics.ts").has(path));
  const slow = /^import (?!type )[^;]*? from "(?:etcd3|@grpc\/grpc-js[^"]*|prom-client|node:crypto)"/m;
  assert.deepEqual(loaded.filter(({ text }) => slow.test(text)).map(({ path }) => path), []);
});

Deno.test("a library is imported by its own room alone", () => {
  const wrong = files.flatMap(({ path, imports }) =>
    imports.filter((specifier) => !/^\.|^node:/.test(specifier)).flatMap((specifier) => {
      const library = Object.keys(OWNERS).find((name) =>
        specifier === name || specifier.startsWith(`${name}/`)
      );
      return library !== undefined && OWNERS[library]!.includes(roomOf(path))
        ? []
        : [`${path} imports ${specifier}`];
    })
  );
  assert.deepEqual(wrong, []);
});

Deno.test("the pure rooms name no network, clock, environment or log, and load none", () => {
  const wrong = files.filter(({ path }) => PURE.includes(roomOf(path))).flatMap(({ path, text }) => {
    const impure = IMPURE.test(text) ? [`${path} names ${IMPURE.exec(text)}`] : [];
    const loaded = [...loads(path)].filter((other) => /^(log|timing)\.ts$|^transport\//.test(other));
    return [...impure, ...loaded.map((other) => `${path} loads ${other}`)];
  });
  assert.deepEqual(wrong, []);
});

/** The files that are run when this one is imported: imports of types alone run nothing. */
function loads(path: string, seen = new Set<string>()): Set<string> {
  const file = files.find((file) => file.path === path);
  for (const specifier of file?.imports ?? []) {
    if (!specifier.startsWith(".") || file!.typesOnly.includes(specifier)) continue;
    const other = new URL(specifier, file!.url).pathname.slice(LIB.pathname.length);
    if (seen.has(other)) continue;
    seen.add(other);
    loads(other, seen);
  }
  return seen;
}

Deno.test("a subject, an etcd key or a metric's name stands in its own room alone", () => {
  const owners: [RegExp, readonly string[]][] = [
    [/["`]namespace\.|v1\/(?:instances|mdc|event_channels)|\/components\//, ["dynamo"]],
    [/\$SRV/, ["micro"]],
    [/["`](?:llm_|process_)\w+/, ["exposition", "telemetry"]],
  ];
  const wrong = files.flatMap(({ path, text }) => {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    return owners.flatMap(([pattern, rooms]) =>
      pattern.test(code) && !rooms.includes(roomOf(path)) ? [`${path} names ${pattern.exec(code)}`] : []
    );
  });
  assert.deepEqual(wrong, []);
});

function roomOf(path: string): string {
  return path.split("/")[0]!.replace(/\.ts$/, "");
}

function walk(folder: URL): URL[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? walk(new URL(`${name}/`, folder)) : name.endsWith(".ts") ? [new URL(name, folder)] : []
  );
}
