/**
 * The whole gate: formatting, lint, types, then the suite on real servers. Its last lines name the servers that took
 * part and how many tests passed. Exit code 1 at the first step that fails.
 */
import { BINARY_NAMES, findBinary } from "./servers/binaries.ts";
import { findOpenMetricsParser } from "./servers/openmetrics.ts";
import { readUses } from "./servers/used.ts";

const root = new URL("..", import.meta.url);
const usesFile = await Deno.makeTempFile({ prefix: "servers-used-" });
const passes = await gate().finally(() => Deno.remove(usesFile));
Deno.exit(passes ? 0 : 1);

async function gate(): Promise<boolean> {
  try {
    return await allSteps();
  } catch (error) {
    console.error((error as Error).message);
    return false;
  }
}

async function allSteps(): Promise<boolean> {
  for (const name of BINARY_NAMES) await findBinary(name);
  await findOpenMetricsParser();
  await step("fmt", ["fmt", "--check", "-q"]);
  await step("lint", ["lint", "-q"]);
  await step("check", ["check", "-q", "main.ts", "mock_worker.ts", "lib", "tools", "tests", "bench"]);
  await step("check web", ["check", "-q", "web"]); // By itself: its types are a browser's.
  const suite = await step("test", ["test", "-A", "--no-check", "--parallel", "tests/"], {
    SERVERS_USED_FILE: usesFile,
    // Most tests wait for servers and for time to pass: half of the cores would be idle.
    DENO_JOBS: Deno.env.get("DENO_JOBS") ?? String(navigator.hardwareConcurrency + 2),
  });
  const { passed, failed } = counts(suite);
  console.log("Real servers that took part:");
  for (const line of await readUses(usesFile)) console.log(`  ${line}`);
  console.log(`${passed} passed, ${failed} failed`);
  return passed > 0 && failed === 0;
}

/** Runs one deno command, showing and returning what it prints; throws when it fails. */
async function step(name: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let output = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    await Deno.stdout.write(new TextEncoder().encode(text));
    output += text;
  }
  const { success } = await child.status;
  if (!success) {
    const { passed, failed } = counts(output);
    if (passed + failed > 0) console.log(`${passed} passed, ${failed} failed`);
    throw new Error(`${name} failed`);
  }
  return output;
}

function counts(output: string): { passed: number; failed: number } {
  // deno-lint-ignore no-control-regex
  const plain = output.replace(/\x1b\[[\d;]*m/g, "");
  const match = /(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/.exec(plain);
  return { passed: Number(match?.[1] ?? 0), failed: Number(match?.[2] ?? 0) };
}
