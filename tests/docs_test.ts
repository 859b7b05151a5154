import assert from "node:assert/strict";
import { DIFFERENCES } from "./differences.ts";
import { FAULTS } from "./faults/faults.ts";
import { generatedDocuments, withParts } from "../tools/docs/main.ts";
import { V8_FLAGS } from "../tools/v8_flags.ts";

for (const { file, parts } of generatedDocuments()) {
  Deno.test(`what is generated in ${file.pathname.split("/").at(-1)} is what the code says`, async () => {
    const text = await Deno.readTextFile(file);
    assert.equal(text, withParts(text, parts), "run deno task docs");
  });
}

Deno.test("every file of a fault is listed, and every listed fault has its file", () => {
  const files = [...Deno.readDirSync(new URL("faults/", import.meta.url))].map(({ name }) => name);
  const listed = FAULTS.map(({ file }) => `${file}_test.ts`);
  assert.deepEqual(files.filter((name) => name.endsWith("_test.ts")).toSorted(), listed.toSorted());
});

for (const { what, test: { file, title } } of DIFFERENCES) {
  Deno.test(`the difference when ${what} has its test`, async () => {
    const text = await Deno.readTextFile(new URL(file, import.meta.url));
    assert.ok(text.includes(title), `${file} has no test "${title}"`);
  });
}

for (const file of ["Dockerfile", "README.md", "deploy/docker-compose.yml"]) {
  Deno.test(`V8's flags are in ${file} as in the executables`, async () => {
    const text = await Deno.readTextFile(new URL(`../${file}`, import.meta.url));
    assert.ok(text.includes(V8_FLAGS));
  });
}

Deno.test("every dependency stands in ARCHITECTURE.md with its reason", async () => {
  const { default: config } = await import("../deno.json", { with: { type: "json" } });
  const text = await Deno.readTextFile(new URL("../ARCHITECTURE.md", import.meta.url));
  const listed = [...text.matchAll(/^\| `([@\w/-]+)` +\| \S/gm)].map(([, name]) => name!);
  assert.deepEqual(Object.keys(config.imports).filter((name) => !listed.includes(name)), []);
});
