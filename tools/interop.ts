/**
 * Runs real programs of Dynamo's releases (from PyPI; Python 3.12) and prints what each was told, or is known to do,
 * beside what our page shows. Exit code 1 unless all is as known and all was run. HELP has the options.
 */
import { parseArgs } from "node:util";
import { isRight, tableText } from "./interop/comparison.ts";
import { holdEngine } from "./interop/engine_hold.ts";
import { findPython } from "./interop/python.ts";
import { ENGINE_RUN, type Run, RUNS } from "./interop/runs.ts";
import { venvOf, type Wheel } from "./interop/venv.ts";
import { taskArgs } from "./task_args.ts";

const HELP = `Runs real programs of Dynamo's releases and compares our page with what they were told.

  --only RELEASE  only the programs of one release: RELEASES
  --only engine   a real vLLM on CPU with two ranks, and nothing else. No other run has it: it downloads 3 GB, takes
                  6 GB below .cache/interop and 5 GB of memory, and starts within 3 to 10 minutes
  --hold          with --only engine: starts the engine and keeps it until Ctrl-C, for other runs of --only engine
  --python PATH   where Python 3.12 is, if python3.12 is not on PATH
  --help          this text`;

interface Options {
  readonly runs: readonly Run[];
  readonly python: string | undefined;
  /** Whether the engine is held for others instead of compared. */
  readonly isHeld: boolean;
}

const options = readOptions(taskArgs);
// What the caller's environment says of a deployment is not for these.
for (const name of Object.keys(Deno.env.toObject())) {
  if (/^(?:DYN_|NATS_|ETCD_|RUST_|VLLM_)/.test(name)) Deno.env.delete(name);
}
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(name, () => stop.abort());
Deno.exit(await interop(options, stop.signal) ? 0 : 1);

async function interop({ runs, python, isHeld }: Options, signal: AbortSignal): Promise<boolean> {
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
      if (isHeld) {
        await holdEngine(venv, signal);
        return true;
      }
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

function readOptions(args: readonly string[]): Options {
  const refuse = (message: string): never => {
    console.error(`error: ${message}`);
    Deno.exit(2);
  };
  const releases = [...new Set(RUNS.map(({ release }) => release))].join(", ");
  try {
    const { values: { only, python, hold: isHeld, help } } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string" },
        hold: { type: "boolean", default: false },
        python: { type: "string" },
        help: { type: "boolean" },
      },
    });
    if (help) {
      console.log(HELP.replace("RELEASES", releases));
      Deno.exit(0);
    }
    if (isHeld && only !== "engine") refuse("--hold needs --only engine");
    const runs = only === "engine"
      ? [ENGINE_RUN]
      : RUNS.filter(({ release }) => only === undefined || release === only);
    if (runs.length > 0) return { runs, python, isHeld };
    return refuse(`--only must be one of ${releases}, engine (a real vLLM; downloads 3 GB)`);
  } catch (error) {
    return refuse((error as Error).message);
  }
}
