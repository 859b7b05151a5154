/** Which real servers took part in a run. */

/**
 * Appends the line `name version path` to the file named by `SERVERS_USED_FILE`, and does nothing without it. Short
 * lines appended by several processes at once stay whole.
 */
export async function recordUse(name: string, version: string, path: string): Promise<void> {
  const file = Deno.env.get("SERVERS_USED_FILE");
  if (file) await Deno.writeTextFile(file, `${name} ${version} ${path}\n`, { append: true });
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
