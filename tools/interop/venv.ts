import { outputOf } from "../command.ts";
import { ENGINE_PACKAGE, installEngine } from "./engine_venv.ts";
import { allowOlderGlibc } from "./glibc.ts";

const CACHE = new URL("../../.cache/interop/", import.meta.url);

/** A file of PyPI that was installed. */
export interface Wheel {
  readonly file: string;
  readonly sha256: string;
}

/** A virtual environment that holds one release of Dynamo. */
export interface Venv {
  readonly release: string;
  /** Its Python. */
  readonly python: string;
  /** Dynamo's own wheels in it. */
  readonly wheels: readonly Wheel[];
}

/** The worker's library alone, or the frontend and the mocker too, or those and a real engine. */
export type Extent = "runtime" | "deployment" | "engine";

const WORKER_NEEDS = ["pydantic<2.12", "uvloop"];

/** What frontend and mocker import; ai-dynamo itself asks for more, some of which is not on PyPI. */
const DEPLOYMENT_NEEDS = [
  ..."aiohttp certifi kubernetes<33 msgspec prometheus-client pyzmq redis tqdm transformers zstandard".split(
    " ",
  ),
  ..."pydantic<=2.13.5 uvloop".split(" "),
];

/**
 * The release from PyPI in an environment of its own below `.cache/interop/`, installed at its first use.
 *
 * @throws an Error of one line when PyPI does not give it
 */
export async function venvOf(
  { release, extent }: { readonly release: string; readonly extent: Extent },
  { python, signal }: { readonly python: string; readonly signal: AbortSignal },
): Promise<Venv> {
  const folder = new URL(`${extent}-${release}/`, CACHE);
  const path = (name: string) => new URL(name, folder).pathname;
  const venv = { release, python: path("bin/python") };
  const wheels = await readReport(path("installed.json"));
  if (wheels !== undefined) return { ...venv, wheels };

  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await outputOf(python, ["-m", "venv", path(".")], { signal });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const report = path("report.json");
  const names = extent === "runtime" ? ["ai-dynamo-runtime"] : ["ai-dynamo", "ai-dynamo-runtime"];
  const packages = names.map((name) => `${name}==${release}`);
  if (extent === "engine") packages.push(ENGINE_PACKAGE);
  await outputOf(venv.python, [...pip, "--no-deps", "--report", report, ...packages], { signal });
  if (extent === "engine") {
    await installEngine(path("."), { python: venv.python, signal });
  } else {
    const needs = extent === "runtime" ? WORKER_NEEDS : DEPLOYMENT_NEEDS;
    await outputOf(venv.python, [...pip, ...needs], { signal });
  }
  await allowOlderGlibc(path("lib/python3.12/site-packages/dynamo.libs/"));
  await Deno.rename(report, path("installed.json")); // Last: what has it is whole.
  return { ...venv, wheels: await readReport(path("installed.json")) ?? [] };
}

/** What pip reports of an installation; undefined before it. */
async function readReport(path: string): Promise<Wheel[] | undefined> {
  const text = await Deno.readTextFile(path).catch(() => undefined);
  if (text === undefined) return undefined;
  const { install } = JSON.parse(text) as {
    install: { download_info: { url: string; archive_info: { hashes: { sha256: string } } } }[];
  };
  return install.map(({ download_info: { url, archive_info } }) => ({
    file: decodeURIComponent(url.split("/").at(-1)!),
    sha256: archive_info.hashes.sha256,
  }));
}
