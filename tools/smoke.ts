/** Runs the built executables of a folder and looks at what they say: version, help, a usage error. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import config from "../deno.json" with { type: "json" };
import { taskArgs } from "./task_args.ts";

const [folder = "dist"] = taskArgs;
if (taskArgs.length > 1 || folder.startsWith("-")) {
  console.error("error: the only argument is the folder of the executables");
  Deno.exit(2);
}
const suffix = Deno.build.os === "windows" ? ".exe" : "";
for (const program of ["metrics", "mock_worker"]) {
  const path = `${folder}/${program}${suffix}`;
  if (!existsSync(path)) {
    console.error(`error: ${path} is not there`);
    Deno.exit(1);
  }
  assert.deepEqual(await run(path, "--version"), { code: 0, out: `${program} ${config.version}\n`, err: "" });
  const help = await run(path, "--help");
  assert.equal(help.code, 0);
  assert.match(help.out, new RegExp(`^${program}: `));
  const mistyped = await run(path, "--componnet", "x");
  assert.deepEqual(mistyped, {
    code: 2,
    out: "",
    err: "error: unknown flag --componnet: did you mean --component?\n",
  });
  console.log(`${path}: ok`);
}

async function run(path: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(path, { args }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll("\r\n", "\n");
  return { code, out: text(stdout), err: text(stderr) };
}
