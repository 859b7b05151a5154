import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { bodiesOf, bodyOf } from "../../lib/output/body.ts";

const LENGTHS = [1, 16_384, 16_385, 5_000_000];

function randomPage(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(randomBytes(length));
}

/** Deep comparison of so many bytes would take minutes to say that they differ. */
function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, n) => byte === other[n]);
}

Deno.test("a body comes whole and in order, whatever its length", async () => {
  for (const length of LENGTHS) {
    const page = randomPage(length);
    assert.ok(areEqual(await new Response(bodyOf([page])).bytes(), page), `${length} bytes`);
  }
});

Deno.test("a large body goes out in parts that are no copies", async () => {
  const page = randomPage(5_000_000);
  for await (const part of bodyOf([page]) as ReadableStream<Uint8Array>) {
    assert.ok(part.length < 1_000_000);
    assert.equal(part.buffer, page.buffer);
  }
});

Deno.test("each of many bodies of one text has all its characters, those of several bytes too", async () => {
  for (const text of ["", "größe€𝄞\n", "größe€𝄞\n".repeat(10_000), "größe€𝄞\n".repeat(100_000)]) {
    const bodies = bodiesOf([new TextEncoder().encode(text)], { isText: true });
    for (let n = 0; n < 3; n++) assert.ok(await new Response(bodies(() => {})).text() === text);
  }
});

Deno.test("each of many bodies of other bytes has them all", async () => {
  for (const length of LENGTHS) {
    const page = randomPage(length);
    const bodies = bodiesOf([page], { isText: false });
    for (let n = 0; n < 2; n++) assert.ok(areEqual(await new Response(bodies(() => {})).bytes(), page));
  }
});

Deno.test("the server takes nothing away of a page that fast and slow readers share", async () => {
  const page = randomPage(5_000_000);
  const before = page.slice();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(bodyOf([page]), { headers: { "content-length": String(page.length) } }),
  );
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const slow = await fetch(url);
  for (let n = 0; n < 3; n++) assert.ok(areEqual(await (await fetch(url)).bytes(), before));
  assert.ok(areEqual(await slow.bytes(), before));
  assert.ok(areEqual(page, before));
});

Deno.test("it is told once that a large body was read, when its last part has been dealt with, or will not be read", async () => {
  const bytes = randomPage(1_000_000);
  let told = 0;
  const body = () => (bodyOf([bytes], () => told++) as ReadableStream<Uint8Array>).getReader();
  const read = body();
  let length = 0;
  for (let part = await read.read(); !part.done; part = await read.read()) {
    assert.equal(told, 0);
    length += part.value.length;
  }
  assert.deepEqual([length, told], [1_000_000, 1]);
  const left = body();
  await left.read();
  await left.cancel();
  assert.equal(told, 2);
});
