import assert from "node:assert/strict";
import { generatedDocuments, withParts } from "../tools/docs/main.ts";

for (const { file, parts } of generatedDocuments()) {
  Deno.test(`what is generated in ${file.pathname.split("/").at(-1)} is what the code says`, async () => {
    const text = await Deno.readTextFile(file);
    assert.equal(text, withParts(text, parts), "run deno task docs");
  });
}
