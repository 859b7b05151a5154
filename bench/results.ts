import { cpus, release, totalmem } from "node:os";
import { binaryVersion } from "../tools/servers/binaries.ts";
import type { Measure, RowResult } from "./measure.ts";

/** One run of the benchmark, as it is kept. */
export interface BenchResults {
  /** ISO time, UTC. */
  readonly startedAt: string;
  readonly commit: string;
  /** Whether there were changes beside that commit. */
  readonly dirty: boolean;
  readonly quick: boolean;
  readonly machine: Machine;
  /** By row. */
  readonly rows: Readonly<Record<string, RowResult>>;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly deno: string;
  readonly v8: string;
  readonly natsServer: string;
  /** Mean number of programs that wanted a core in the minute before: what else there was to do. */
  readonly loadBefore: number;
}

const FOLDER = new URL("results/", import.meta.url);

/** What the benchmark runs on. */
export async function describeMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: navigator.hardwareConcurrency,
    memoryGib: Number((totalmem() / 2 ** 30).toFixed(1)),
    kernel: `${Deno.build.os} ${release()} ${Deno.build.arch}`,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    natsServer: await binaryVersion("nats-server"),
    loadBefore: Number(Deno.loadavg()[0]!.toFixed(2)),
  };
}

/** The commit that is measured. */
export async function describeCommit(): Promise<{ commit: string; dirty: boolean }> {
  return {
    commit: (await git("rev-parse", "--short=12", "HEAD")).trim(),
    dirty: (await git("status", "--porcelain", "--", "lib", "main.ts", "deno.json", "bench")).trim() !== "",
  };
}

async function git(...args: string[]): Promise<string> {
  const output = await new Deno.Command("git", { args, cwd: new URL("..", import.meta.url) }).output();
  if (!output.success) {
    throw new Error(`git ${args[0]} failed: ${new TextDecoder().decode(output.stderr).trim()}`);
  }
  return new TextDecoder().decode(output.stdout);
}

/** All measures of a run, by name. */
export function measuresOf({ rows }: Pick<BenchResults, "rows">): Map<string, Measure> {
  const measures = Object.values(rows).flatMap(({ measures }) => measures);
  return new Map(measures.map((measure) => [measure.name, measure]));
}

/** The newest whole run that is kept; undefined when none is. */
export function newestResults(): BenchResults | undefined {
  const files = [...Deno.readDirSync(FOLDER)].filter(({ name }) => name.endsWith(".json")).map(({ name }) =>
    name
  );
  const newest = files.toSorted().at(-1);
  return newest === undefined ? undefined : readResults(new URL(newest, FOLDER));
}

/** @throws when the file cannot be read, or is no run of the benchmark */
export function readResults(file: URL | string): BenchResults {
  const results = JSON.parse(Deno.readTextFileSync(file));
  if (typeof results?.rows !== "object") throw new Error(`${file} holds no results of the benchmark`);
  return results;
}

/** Keeps a run: a whole one to be checked in, a partial one in a folder that git ignores. Gives the file's path. */
export async function writeResults(
  results: BenchResults,
  { partial }: { partial: boolean },
): Promise<string> {
  const folder = partial ? new URL("partial/", FOLDER) : FOLDER;
  await Deno.mkdir(folder, { recursive: true });
  const file = new URL(
    `${results.startedAt.slice(0, 19).replaceAll(":", "")}-${results.commit}.json`,
    folder,
  );
  await Deno.writeTextFile(file, resultsText(results));
  return file.pathname;
}

/** JSON in which each measure has a line, its values at most five digits that count. */
export function resultsText(results: BenchResults): string {
  const short = (_: string, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  const lines = JSON.stringify(results, short, 2);
  return `${
    lines.replace(/\[\s+([-\d.,\s]+?)\s+\]/g, (_, numbers) => `[${numbers.replace(/\s+/g, " ")}]`)
  }\n`;
}
