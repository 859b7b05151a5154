import { onAbort } from "../../lib/timing.ts";
import { type Engine, pageOf, startEngine } from "./engine.ts";
import type { Venv } from "./venv.ts";

const FILE = new URL("../../.cache/interop/engine.json", import.meta.url);

/**
 * Starts an engine and leaves it running until the abort. Other processes find it by `heldEngine` meanwhile.
 *
 * @throws if one is held already
 */
export async function holdEngine(venv: Venv, signal: AbortSignal): Promise<void> {
  const held = await heldEngine();
  if (held !== undefined) throw new Error(`an engine is held already: process ${held.pid}`);
  await using engine = await startEngine(venv, signal);
  await Deno.writeTextFile(FILE, JSON.stringify(engine));
  console.log(`  held: ${engine.frontend}, ${engine.pageUrl}, process ${engine.pid}`);
  await new Promise<void>((resolve) => onAbort(signal, resolve));
  await Deno.remove(FILE);
}

/** The engine that another process holds; undefined without one that answers. */
export async function heldEngine(): Promise<Engine | undefined> {
  const text = await Deno.readTextFile(FILE).catch(() => undefined);
  if (text === undefined) return undefined;
  const engine = JSON.parse(text) as Engine;
  return await pageOf(engine).then(() => engine, () => undefined);
}
