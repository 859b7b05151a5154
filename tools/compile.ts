/**
 * Builds the two programs as single files: `deno compile` of main.ts and mock_worker.ts. The base runtime is what Deno
 * downloads for the target, or the file that DENORT_BIN names.
 */
import { arch, platform } from "node:process";
import { parseArgs } from "node:util";
import { V8_FLAGS } from "./v8_flags.ts";
import { taskArgs } from "./task_args.ts";

const root = new URL("..", import.meta.url);
/** etcd3 reads this from its package's folder when it runs. */
const ETCD_PROTO = "node_modules/etcd3/proto";
/** The live page's files. */
const ASSETS = "lib/web/assets";
/** es-toolkit, 19 MB, of which Ink uses one function of dist/compat. */
const ES_TOOLKIT = "node_modules/.deno/es-toolkit@1.53.2/node_modules/es-toolkit";
const UNUSED = [
  ...["compat", "dist/fp", "dist/server", "src"].map((folder) => `${ES_TOOLKIT}/${folder}`),
  ...["@types", "type-fest"].map((name) => `node_modules/.deno/ink@8.0.0/node_modules/${name}`),
  // A data file in it overflows deno compile's stack.
  "node_modules/.deno/bintrees@1.0.2/node_modules/bintrees/test",
  // What is for tests and the page's build alone, 70 MB. A package is also found by the links to it.
  ...["zeromq", "ajv", "axe-core", "playwright-core", "esbuild", "preact", "uplot"].map((name) =>
    `node_modules/${name}`
  ),
  ...["node_modules/.bin", "node_modules/@types", "node_modules/.deno/node_modules/@esbuild"],
  ...[
    ...["zeromq@6.8.0", "cmake-ts@1.0.2", "node-addon-api@8.9.2"],
    ...["ajv@8.20.0", "fast-deep-equal@3.1.3", "fast-uri@3.1.9", "json-schema-traverse@1.0.0"],
    ...[
      "require-from-string@2.0.2",
      "axe-core@4.14.1",
      "playwright-core@1.65.1",
      "preact@11.2.0",
      "uplot@1.6.32",
    ],
    // Types.
    ...["@types+react@19.3.0", "csstype@3.2.4", "type-fest@5.10.0", "tagged-tag@1.0.0"],
    ...["esbuild@0.28.2", `@esbuild+${platform}-${arch}@0.28.2`],
  ].flatMap((name) => [
    `node_modules/.deno/${name}`,
    `node_modules/.deno/node_modules/${name.replace(/(?<=.)@.*/, "").replace("+", "/")}`,
  ]),
];
const TARGETS: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

const { target, out } = options();
const built = await build();
Deno.exit(built ? 0 : 1);

async function build(): Promise<boolean> {
  // What `build_info` says of the executable; embedded as its environment.
  const revisionFile = await Deno.makeTempFile({ suffix: ".env" });
  try {
    await Deno.writeTextFile(revisionFile, `METRICS_REVISION=${await revision()}\n`);
    const suffix = (target ?? Deno.build.target).includes("windows") ? ".exe" : "";
    for (const [script, name] of [["main.ts", "metrics"], ["mock_worker.ts", "mock_worker"]] as const) {
      const output = `${out}/${name}${suffix}`;
      const { success } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["compile", "-A", "--no-check", V8_FLAGS, `--env-file=${revisionFile}`],
          ...["--include", ETCD_PROTO, "--include", ASSETS],
          ...UNUSED.flatMap((path) => ["--exclude", path]),
          ...(target === undefined ? [] : ["--target", target]),
          ...["--output", output, script],
        ],
        cwd: root,
      }).spawn().status;
      if (!success) return false;
      console.log(output);
    }
    return true;
  } finally {
    await Deno.remove(revisionFile);
  }
}

async function revision(): Promise<string> {
  try {
    const git = await new Deno.Command("git", { args: ["rev-parse", "--short=12", "HEAD"], cwd: root })
      .output();
    if (git.success) return new TextDecoder().decode(git.stdout).trim();
  } catch {
    // There is no git.
  }
  return "unknown";
}

function options(): { target: string | undefined; out: string } {
  try {
    const { values: { target, out } } = parseArgs({
      args: [...taskArgs],
      options: { target: { type: "string" }, out: { type: "string", default: "dist" } },
    });
    if (out === "") throw new Error("--out needs a folder");
    if (target !== undefined && !TARGETS.includes(target)) {
      throw new Error(`--target is one of ${TARGETS.join(", ")}`);
    }
    return { target, out };
  } catch (error) {
    console.error(`error: ${(error as Error).message.replaceAll("\n", " ")}`);
    Deno.exit(2);
  }
}
