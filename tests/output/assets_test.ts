import assert from "node:assert/strict";
import { assetRoutes } from "../../lib/output/assets.ts";
import { startServer } from "../../lib/output/server.ts";

const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "index.html": ["text/html; charset=utf-8", "<!DOCTYPE html><title>é</title>"],
  "app.js": ["text/javascript; charset=utf-8", "1;"],
  "app.css": ["text/css; charset=utf-8", "a{}"],
  "icon.svg": ["image/svg+xml", "<svg/>"],
};

async function withFolder(
  files: readonly (readonly [name: string, text: string])[],
  act: (folder: URL) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of files) await Deno.writeTextFile(`${folder}/${name}`, text);
    await act(new URL(`file://${folder}/`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the page's files are served under their names, index.html at /, fenced in, and not sent again to who has them", async () => {
  const files = Object.entries(FILES).map(([name, [, text]]) => [name, text] as const);
  await withFolder(files, async (folder) => {
    await using server = startServer({ host: "127.0.0.1", port: 0, routes: assetRoutes(folder) });
    for (const [name, [type, text]] of Object.entries(FILES)) {
      const url = `http://${server.address}/${name === "index.html" ? "" : name}`;
      const response = await fetch(url);
      const { headers } = response;
      assert.deepEqual([response.status, headers.get("content-type")], [200, type]);
      assert.equal(await response.text(), text);
      assert.equal(headers.get("cache-control"), "no-cache");
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("referrer-policy"), "no-referrer");
      assert.equal(
        headers.get("content-security-policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      assert.equal(headers.get("access-control-allow-origin"), null);
      const etag = headers.get("etag")!;
      for (const [tags, status] of [[etag, 304], [`"x", W/${etag}`, 304], ['"x"', 200]] as const) {
        const again = await fetch(url, { headers: { "if-none-match": tags } });
        assert.deepEqual([again.status, again.headers.get("etag")], [status, etag]);
        assert.equal(await again.text(), status === 304 ? "" : text);
      }
    }
    for (const path of ["/index.html", "/../deno.json", "/%2e%2e/deno.json"]) {
      const response = await fetch(`http://${server.address}${path}`);
      assert.equal(response.status, 404, path);
      await response.body?.cancel();
    }
  });
});

Deno.test("a file of no known type is an error at the start", async () => {
  await withFolder([["app.wasm", ""]], (folder) => {
    assert.throws(() => assetRoutes(folder), { message: "a file of the page of no known type: app.wasm" });
    return Promise.resolve();
  });
});
