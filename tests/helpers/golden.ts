import assert from "node:assert/strict";

/** Compares with tests/testdata/golden/NAME; with UPDATE_GOLDEN=1 it writes that file instead. */
export async function assertGolden(name: string, text: string): Promise<void> {
  const file = new URL(`../testdata/golden/${name}`, import.meta.url);
  if (Deno.env.get("UPDATE_GOLDEN") === "1") {
    await Deno.mkdir(new URL(".", file), { recursive: true });
    return await Deno.writeTextFile(file, text);
  }
  assert.equal(text, await Deno.readTextFile(file));
}
