import assert from "node:assert/strict";
import { JsonBytes } from "../../lib/dynamo/json_bytes.ts";

const written = (json: JsonBytes) => new TextDecoder().decode(json.take());

Deno.test("integers are written without an exponent, of any size", () => {
  const json = new JsonBytes();
  for (const value of [0, 9, 10, 99, 100, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1, 2 ** 64]) {
    json.integer(value);
    assert.equal(written(json), BigInt(value).toString());
  }
});

Deno.test("what is taken stays as it is while the next is written, and there is room for more than there was", () => {
  const json = new JsonBytes();
  json.text("first");
  const first = json.take();
  const pieces = Array.from({ length: 30_000 }, (_, n) => `${n},`);
  for (const piece of pieces) json.put(new TextEncoder().encode(piece));
  assert.equal(written(json), pieces.join(""));
  json.text("x".repeat(500_000));
  assert.equal(written(json).length, 500_000);
  assert.equal(new TextDecoder().decode(first), "first");
});
