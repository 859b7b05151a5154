/**
 * Builds the live page: bundles web/ into lib/web/assets (or `--out FOLDER`), which is committed and served by
 * `metrics`. The same source gives the same bytes on every machine.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build, stop } from "esbuild";

const source = new URL("../web/", import.meta.url);
const assets = new URL("../lib/web/assets/", import.meta.url);

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: { out: { type: "string", default: fileURLToPath(assets) } },
  });
  await buildPage(values.out);
}

/** Writes index.html, app.js and app.css into the folder. Throws what esbuild objects to. */
export async function buildPage(folder: string): Promise<void> {
  try {
    await build({
      absWorkingDir: fileURLToPath(source),
      entryPoints: [{ in: "main.tsx", out: "app" }, { in: "app.css", out: "app" }],
      outdir: folder,
      bundle: true,
      minify: true,
      format: "esm",
      target: ["chrome111", "firefox113", "safari16.4"],
      jsx: "automatic",
      jsxImportSource: "preact",
      legalComments: "inline", // The licences of the libraries travel with them.
      charset: "utf8",
      logLevel: "warning",
      tsconfigRaw: {},
    });
  } finally {
    await stop();
  }
  for (const name of ["index.html", "icon.svg"]) {
    await Deno.copyFile(new URL(name, source), `${folder}/${name}`);
  }
}
