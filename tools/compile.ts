/**
 * Builds the two programs as single files: `deno compile` of main.ts and mock_worker.ts. The base runtime is what Deno
 * downloads for the target, or the file that DENORT_BIN names.
 */
import { parseArgs } from "node:util";

const root = new URL("..", import.meta.url).pathname;
/** etcd3 reads this from its package's folder when it runs. */
const ETCD_PROTO = "node_modules/etcd3/proto";
/** A folder with a data file that deno compile cannot take in (its stack overflows). */
const UNUSED = "node_modules/.deno/bintrees@1.0.2/node_modules/bintrees/test";

/** What `build_info` says of the executable; embedded as its environment. */
const revisionFile = await Deno.makeTempFile({ suffix: ".env" });
const git = await new Deno.Command("git", { args: ["rev-parse", "--short=12", "HEAD"], cwd: root }).output();
const revision = git.success ? new TextDecoder().decode(git.stdout).trim() : "unknown";
await Deno.writeTextFile(revisionFile, `METRICS_REVISION=${revision}\n`);

const { values } = parseArgs({
  options: { target: { type: "string" }, out: { type: "string", default: "dist" } },
});
const suffix = (values.target ?? Deno.build.target).includes("windows") ? ".exe" : "";
for (const [script, name] of [["main.ts", "metrics"], ["mock_worker.ts", "mock_worker"]] as const) {
  const output = `${values.out}/${name}${suffix}`;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "-A",
      "--no-check",
      `--env-file=${revisionFile}`,
      "--include",
      ETCD_PROTO,
      "--exclude",
      UNUSED,
      ...(values.target ? ["--target", values.target] : []),
      "--output",
      output,
      script,
    ],
    cwd: root,
  }).spawn().status;
  if (!success) {
    await Deno.remove(revisionFile);
    Deno.exit(1);
  }
  console.log(output);
}
await Deno.remove(revisionFile);
