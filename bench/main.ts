/**
 * Measures the program beside the floors and the original, on real servers: `--quick` (two minutes, rough), `--only ROW`
 * (may be repeated), `--baseline FILE` (what to compare with in place of the newest kept run). Prints tables, keeps the
 * figures as JSON. Exit code 1 when something could not be measured; a goal that is not met only says so.
 */
import { parseArgs } from "node:util";
import { GOALS } from "./goals.ts";
import type { RowResult } from "./measure.ts";
import { reportText, verdicts } from "./report.ts";
import {
  type BenchResults,
  describeCommit,
  describeMachine,
  newestResults,
  readResults,
  writeResults,
} from "./results.ts";
import { ROWS } from "./rows.ts";
import { taskArgs } from "../tools/task_args.ts";

const { quick, only, baseline: baselineFile } = readOptions();
try {
  Deno.exit(await bench() ? 0 : 1);
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  Deno.exit(1);
}

async function bench(): Promise<boolean> {
  const baseline = baselineFile === undefined ? newestResults() : readResults(baselineFile);
  const about = {
    startedAt: new Date().toISOString(),
    ...await describeCommit(),
    quick,
    machine: await describeMachine(),
  };
  const chosen = ROWS.filter(({ name }) => only.length === 0 || only.includes(name));
  const rows: Record<string, RowResult> = {};
  for (const row of chosen) {
    console.error(`${row.name}: ${row.what}`);
    rows[row.name] = await row.run({ quick, say: (line) => console.error(`  ${line}`) }).catch(failed);
  }
  const results: BenchResults = { ...about, rows };
  const goals = GOALS.filter(({ measure }) => chosen.some(({ name }) => measure.startsWith(`${name}/`)));
  console.log(reportText(results, { goals, baseline }));
  const partial = quick || only.length > 0;
  console.log(`\nkept in ${await writeResults(results, { partial })}`);
  return !verdicts(results, goals).includes("NOT MEASURED");
}

/** A row that fails takes nothing from the others: its goals are not measured. */
function failed(error: Error): RowResult {
  console.error(`  failed: ${error.message}`);
  return { measures: [], cpu: {}, remarks: [`failed: ${error.message}`] };
}

function readOptions(): { quick: boolean; only: readonly string[]; baseline: string | undefined } {
  try {
    const { values } = parseArgs({
      args: [...taskArgs],
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string", multiple: true, default: [] },
        baseline: { type: "string" },
      },
    });
    const unknown = values.only.find((name) => !ROWS.some((row) => row.name === name));
    if (unknown !== undefined) {
      throw new Error(`--only ${unknown}: the rows are ${ROWS.map(({ name }) => name).join(", ")}`);
    }
    return { quick: values.quick, only: values.only, baseline: values.baseline };
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    Deno.exit(2);
  }
}
