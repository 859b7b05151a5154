/**
 * Builds the live page: bundles web/ into lib/web/assets (or `--out FOLDER`), which is committed and served by
 * `metrics`. The same source gives the same bytes on every machine.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build, type BuildOptions, stop } from "esbuild";
import { taskArgs } from "./task_args.ts";

const source = new URL("../web/", import.meta.url);
const assets = new URL("../lib/web/assets/", import.meta.url);

const COMMON = {
  absWorkingDir: fileURLToPath(source),
  bundle: true,
  minify: true,
  target: ["chrome111", "firefox113", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "inline", // The licences of the libraries travel with them.
  charset: "utf8",
  logLevel: "warning",
  tsconfigRaw: {},
} as const satisfies BuildOptions;

if (import.meta.main) {
  const { values } = parseArgs({
    args: [...taskArgs],
    options: { out: { type: "string", default: fileURLToPath(assets) } },
  });
  await buildPage(values.out);
}

/** Writes index.html and all that it loads into the folder. Throws what esbuild objects to. */
export async function buildPage(folder: string): Promise<void> {
  try {
    const worker = `${folder}/feed_worker.js`;
    await build({ ...COMMON, entryPoints: ["feed_worker.ts"], outfile: worker, format: "iife" });
    await build({
      ...COMMON,
      entryPoints: [{ in: "main.tsx", out: "app" }, { in: "app.css", out: "app" }],
      outdir: folder,
      format: "esm",
      define: { FEED_WORKER_NAME: JSON.stringify(await fingerprint(worker)) },
    });
  } finally {
    await stop();
  }
  for (const name of ["index.html", "icon.svg"]) {
    await Deno.copyFile(new URL(name, source), `${folder}/${name}`);
  }
}

async function fingerprint(file: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(file));
  return new Uint8Array(digest).toHex().slice(0, 12);
}
