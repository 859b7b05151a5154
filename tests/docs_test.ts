import assert from "node:assert/strict";
import { readmeParts, withParts } from "../tools/docs/main.ts";

Deno.test("the README's generated parts are what the code says", async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  assert.equal(readme, withParts(readme, readmeParts()), "run deno task docs");
});
