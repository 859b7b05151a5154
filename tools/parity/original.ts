import { outputOf } from "../command.ts";

const CACHE = new URL("../../.cache/original/", import.meta.url);

/** A program of a release of Dynamo, out of PyPI's `ai-dynamo` wheel of that release. */
export interface OriginalProgram {
  readonly path: string;
  readonly sha256: string;
  /** The folder that 0.1.0 needs on its library path: Python 3.12's shared library. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Finds the program, downloading the wheel first if need be (python3 with pip).
 *
 * @throws an Error of one line when it cannot be had
 */
export async function originalProgram(
  release: string,
  name: "metrics" | "mock_worker",
): Promise<OriginalProgram> {
  const folder = new URL(`${release}/`, CACHE);
  const path = new URL(`dynamo/sdk/cli/bin/${name}`, folder).pathname;
  if (!await exists(path)) await download(release, folder);
  if (!await exists(path)) throw new Error(`The ai-dynamo ${release} wheel holds no ${name}`);
  await Deno.chmod(path, 0o755);
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return {
    path,
    sha256: new Uint8Array(digest).toHex(),
    env: release === "0.1.0" ? await libraryPath() : {},
  };
}

async function download(release: string, folder: URL): Promise<void> {
  const wheels = new URL("wheels/", CACHE).pathname;
  await outputOf("python3", [
    "-m",
    "pip",
    "download",
    "-q",
    "--no-deps",
    "--no-cache-dir",
    "-d",
    wheels,
    ...PLATFORM,
    `ai-dynamo==${release}`,
  ]);
  await outputOf("python3", [
    "-m",
    "zipfile",
    "-e",
    `${wheels}ai_dynamo-${release}-py3-none-any.whl`,
    folder.pathname,
  ]);
}

/** The wheel says that it wants this Python; its binaries do not care. */
const PLATFORM = ["--only-binary=:all:", "--python-version", "3.12"];

async function libraryPath(): Promise<Record<string, string>> {
  const script = "import sysconfig; print(sysconfig.get_config_var('LIBDIR'))";
  const folder = (await outputOf("python3.12", ["-c", script], { env: { PYENV_VERSION: "3.12" } })).trim();
  return { LD_LIBRARY_PATH: folder };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
