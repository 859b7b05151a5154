/** Which real servers took part in a run. */
import { BINARY_NAMES, binaryVersion, findBinary } from "./binaries.ts";

/**
 * Appends the line `name version path` to the file named by `SERVERS_USED_FILE`; does nothing without it, or for
 * programs that are not in `BINARY_NAMES`. Short lines appended by several processes at once stay whole.
 */
export async function recordUse(name: string): Promise<void> {
  const file = Deno.env.get("SERVERS_USED_FILE");
  if (!file || !BINARY_NAMES.includes(name)) return;
  const line = `${name} ${await binaryVersion(name)} ${await findBinary(name)}\n`;
  await Deno.writeTextFile(file, line, { append: true });
}

/** The different lines of such a file, sorted; none when no server was started. */
export async function readUses(file: string): Promise<string[]> {
  try {
    const lines = (await Deno.readTextFile(file)).split("\n").filter((line) => line !== "");
    return [...new Set(lines)].sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
