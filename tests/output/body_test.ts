import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { gzip } from "../../lib/exposition/gzip.ts";
import { bodyOf } from "../../lib/output/body.ts";

Deno.test("a large body comes whole and in order, and is only made as it is read", async () => {
  for (const length of [1, 1_048_576, 1_048_577, 5_000_000]) {
    const bytes = crypto.getRandomValues(new Uint8Array(65_536));
    const page = Uint8Array.from({ length }, (_, n) => bytes[n % bytes.length]!);
    assert.deepEqual(await new Response(bodyOf(page)).bytes(), page);
  }
});

Deno.test("what a reader is given of a compressed page may be taken away, too", async () => {
  const large = await gzip(new Uint8Array(randomBytes(3_000_000)), () => Promise.resolve());
  const before = large.slice();
  for await (const part of bodyOf(large) as ReadableStream<Uint8Array>) part.fill(0);
  assert.deepEqual(large, before);
});

Deno.test("what a reader is given of a large body may be taken away", async () => {
  const page = new Uint8Array(2_000_000).fill(7);
  const body = bodyOf(page);
  assert.ok(body instanceof ReadableStream);
  for await (const part of body) part.fill(0);
  assert.ok(page.every((byte) => byte === 7));
});
