/**
 * Runs real programs of Dynamo's releases (from PyPI; Python 3.12) and prints what each was told, or is known to do,
 * beside what our page shows. Exit code 1 unless all is as known and all was run.
 *
 * `--only RELEASE` runs those of one release, `--python PATH` says where Python 3.12 is.
 */
import { parseArgs } from "node:util";
import { isRight, tableText } from "./interop/comparison.ts";
import { findPython } from "./interop/python.ts";
import { type Run, RUNS } from "./interop/runs.ts";
import { venvOf, type Wheel } from "./interop/venv.ts";

const options = readOptions(Deno.args);
// What the caller's environment says of a deployment is not for these.
for (const name of Object.keys(Deno.env.toObject())) {
  if (/^(?:DYN_|NATS_|ETCD_|RUST_)/.test(name)) Deno.env.delete(name);
}
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(name, () => stop.abort());
Deno.exit(await interop(options, stop.signal) ? 0 : 1);

async function interop(
  { runs, python }: ReturnType<typeof readOptions>,
  signal: AbortSignal,
): Promise<boolean> {
  const wheels = new Map<string, Wheel>();
  const count = { rows: 0, right: 0, run: 0 };
  for (const run of runs) {
    console.log(`\nai-dynamo ${run.release}: ${run.how}`);
    const venv = await findPython(python)
      .then((path) => venvOf(run, { python: path, signal }))
      .catch((error: Error) => console.log(`  NOT RUN: ${error.message}`));
    if (signal.aborted) return false;
    if (!venv) continue;
    for (const wheel of venv.wheels) wheels.set(wheel.file, wheel);
    try {
      const rows = await run.compare(venv, signal);
      console.log(tableText(rows));
      count.run++;
      count.rows += rows.length;
      count.right += rows.filter(isRight).length;
    } catch (error) {
      if (signal.aborted) return false;
      console.log(`  FAILED: ${(error as Error).message}`);
    }
  }
  if (wheels.size > 0) console.log("\nwheels, SHA-256:");
  for (const { file, sha256 } of wheels.values()) console.log(`  ${sha256}  ${file}`);
  console.log(
    `\n${count.right} of ${count.rows} rows as known; ${count.run} of ${runs.length} runs to the end`,
  );
  return count.right === count.rows && count.run === runs.length;
}

function readOptions(args: readonly string[]): { runs: readonly Run[]; python: string | undefined } {
  const refuse = (message: string): never => {
    console.error(`error: ${message}`);
    Deno.exit(2);
  };
  try {
    const { values: { only, python } } = parseArgs({
      args: [...args],
      options: { only: { type: "string" }, python: { type: "string" } },
    });
    const runs = RUNS.filter(({ release }) => only === undefined || release === only);
    const releases = [...new Set(RUNS.map(({ release }) => release))].join(", ");
    return { runs: runs.length > 0 ? runs : refuse(`--only must be one of ${releases}`), python };
  } catch (error) {
    return refuse((error as Error).message);
  }
}
