import assert from "node:assert/strict";
import { memo } from "../../lib/output/memo.ts";

/** Counts how often it reads. */
function counted() {
  const read: (string | null)[] = [];
  const lengthOf = memo((text: string | null) => {
    read.push(text);
    return text === null ? null : { length: text.length };
  });
  return { read, lengthOf };
}

Deno.test("a text is read once, and what was made of it is given again, nothing included", () => {
  const { read, lengthOf } = counted();
  assert.equal(lengthOf("abc"), lengthOf("abc"));
  assert.deepEqual([lengthOf("ab"), lengthOf(null), lengthOf(null), lengthOf("")], [
    { length: 2 },
    null,
    null,
    { length: 0 },
  ]);
  assert.deepEqual(read, ["abc", "ab", null, ""]);
});

Deno.test("long texts are not kept, and of many only the last", () => {
  const { read, lengthOf } = counted();
  const long = "x".repeat(1_025);
  assert.deepEqual([lengthOf(long), lengthOf(long)], [{ length: 1_025 }, { length: 1_025 }]);
  assert.equal(read.length, 2);
  for (let n = 0; n <= 64; n++) lengthOf(`text ${n}`);
  assert.equal(read.length, 67);
  lengthOf("text 64");
  assert.equal(read.length, 67);
  lengthOf("text 0");
  assert.equal(read.length, 68);
});
