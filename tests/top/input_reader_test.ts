import assert from "node:assert/strict";
import { ESCAPE_MS, InputReader, REST_MS } from "../../lib/top/input_reader.ts";

/** What goes through of these pieces, and whether the reader waits for more after them. */
function read(...pieces: readonly string[]): readonly [keys: string, waitMs: number | undefined] {
  const reader = new InputReader();
  return [pieces.map((piece) => reader.push(piece)).join(""), reader.waitMs];
}

const REPLIES: Readonly<Record<string, string>> = {
  "a colour (OSC 11, BEL)": "\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
  "a colour (OSC 11, ST)": "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
  "a colour (OSC 11, ST of 8 bits)": "\x1b]11;rgb:1e1e/1e1e/1e1e\x9c",
  "the title": "\x1b]lquery / sort\x1b\\",
  "the clipboard (OSC 52)": "\x1b]52;c;cXVpdAo=\x07",
  "the version (DCS)": "\x1bP>|xterm(390)\x1b\\",
  "a capability (DCS)": "\x1bP1+r544e=787465726d\x1b\\",
  "a picture (APC)": "\x1b_Gi=31;OK\x1b\\",
  "a private message": "\x1b^q/r\x1b\\",
};

for (const [what, reply] of Object.entries(REPLIES)) {
  Deno.test(`a terminal's word about ${what} is no key, whole or in pieces, and keys beside it are`, () => {
    assert.deepEqual(read(reply), ["", undefined]);
    assert.deepEqual(read(`j${reply}k`), ["jk", undefined]);
    assert.deepEqual(read(...reply), ["", undefined]);
    for (let n = 1; n < reply.length; n++) {
      assert.deepEqual(read(reply.slice(0, n), `${reply.slice(n)}q`), ["q", undefined], String(n));
    }
  });
}

Deno.test("a reply whose ESC came long before the rest is no key either, but for the ESC", () => {
  const reader = new InputReader();
  assert.deepEqual([reader.push("\x1b"), reader.waitMs], ["", ESCAPE_MS]);
  assert.deepEqual([reader.rest(), reader.waitMs], ["\x1b", REST_MS]);
  assert.deepEqual([reader.push("]11;rgb:1e"), reader.waitMs], ["", REST_MS]);
  assert.deepEqual([reader.push("1e/1e\x07q"), reader.waitMs], ["q", undefined]);
  assert.equal(
    reader.push("\x1b") + reader.rest() + reader.push("[?62;") + reader.push("4c"),
    "\x1b\x1b[?62;4c",
  );
});

Deno.test("a sequence goes through as a whole, in how many pieces it may come", () => {
  const sequences = [
    "\x1b[A",
    "\x1bOA",
    "\x1b[5~",
    "\x1b[[A",
    "\x1b[7$",
    "\x1b[?62;1;4c",
    "\x1b[24;80R",
    "\x1b[<0;3;4M",
  ];
  for (const sequence of sequences) {
    assert.deepEqual(read(sequence), [sequence, undefined]);
    const reader = new InputReader();
    const told = [...sequence].map((char) => reader.push(char));
    assert.deepEqual(told, [...Array(sequence.length - 1).fill(""), sequence]);
    assert.equal(reader.waitMs, undefined);
  }
});

Deno.test("keys go through as they are typed", () => {
  const rows: [typed: string, keys: string][] = [
    ["/sil\r", "/sil\r"],
    ["\x1b\x1b[A", "\x1b\x1b[A"],
    ["\x1bq", "\x1bq"],
    ["é模😀", "é模😀"],
    ["\x0c\x1a\x03", "\x0c\x1a\x03"],
  ];
  for (const [typed, keys] of rows) assert.deepEqual(read(typed), [keys, undefined], JSON.stringify(typed));
});

Deno.test("an ESC alone is the key after a moment, and what is typed later is what it is", () => {
  const reader = new InputReader();
  assert.equal(reader.push("\x1b"), "");
  assert.equal(reader.rest(), "\x1b");
  assert.equal(reader.rest(), "");
  assert.equal(reader.waitMs, undefined);
  assert.equal(reader.push("]P"), "]P");
  assert.equal(reader.push("\x1b") + reader.rest() + reader.push("q"), "\x1bq");
  assert.equal(reader.push("\x1b\x1b") + reader.rest() + reader.rest(), "\x1b\x1b");
});

Deno.test("a string or a sequence that never ends takes no keys for longer than a moment, and Ctrl-C never", () => {
  for (const begun of ["\x1b]11;rgb", "\x1bP", "\x1b[?6", "\x1b]0;x\x1b"]) {
    const reader = new InputReader();
    assert.equal(reader.push(begun), "");
    assert.equal(reader.waitMs, REST_MS);
    assert.equal(reader.rest(), "");
    assert.equal(reader.push("q"), "q");
    assert.equal(new InputReader().push(`${begun}\x03`), "\x03");
  }
});

Deno.test("a string that is cut off by the next sequence ends there", () => {
  assert.deepEqual(read("\x1b]11;rgb\x1b[A"), ["\x1b[A", undefined]);
  assert.deepEqual(read("\x1b]11;rgb\x1b]11;x\x07j"), ["j", undefined]);
});
