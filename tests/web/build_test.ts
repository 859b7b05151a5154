import assert from "node:assert/strict";
import { buildPage } from "../../tools/web.ts";

const committed = new URL("../../lib/web/assets/", import.meta.url);

Deno.test("the committed page is what its source builds to, byte for byte", async () => {
  const folder = await Deno.makeTempDir({ prefix: "web-" });
  try {
    await buildPage(folder);
    const names = namesIn(folder);
    assert.deepEqual(namesIn(committed), names, "run deno task web");
    for (const name of names) {
      const built = await Deno.readTextFile(`${folder}/${name}`);
      assert.ok(built === await Deno.readTextFile(new URL(name, committed)), `${name}: run deno task web`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the page has no script or style in it, and asks no other origin", async () => {
  const html = await Deno.readTextFile(new URL("index.html", committed));
  assert.deepEqual(html.match(/<style|style=|<script(?![^>]* src=)|\bon\w+=|https?:/g), null);
});

Deno.test("no address of the page begins at the root of its origin: it may stand below a prefix", async () => {
  for (const name of namesIn(committed)) {
    const text = await Deno.readTextFile(new URL(name, committed));
    const rooted = text.match(/(?:href[=:]|src[=:]|fetch\(|EventSource\(|Worker\()\s*["'`]\/[^"'`]*/g);
    assert.deepEqual(rooted, null, name);
  }
});

function namesIn(folder: string | URL): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
}
