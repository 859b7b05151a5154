import assert from "node:assert/strict";
import { nextTurn } from "../helpers/next_turn.ts";
import { Gate } from "../../lib/transport/gate.ts";

/** Enters one after the other, and says who is in. */
function enterAll(
  gate: Gate,
  names: string,
  { signal = new AbortController().signal, again = false }: { signal?: AbortSignal; again?: boolean } = {},
) {
  const inside = new Map<string, Disposable | undefined>();
  for (const name of names) void gate.enter(signal, { again }).then((place) => inside.set(name, place));
  return inside;
}

Deno.test("a gate lets in as many as it has places, and the others in the order they came", async () => {
  const inside = enterAll(new Gate(2), "abcd");
  await nextTurn();
  assert.deepEqual([...inside.keys()], ["a", "b"]);
  inside.get("b")![Symbol.dispose]();
  inside.get("b")![Symbol.dispose](); // A place is given back once.
  await nextTurn();
  assert.deepEqual([...inside.keys()], ["a", "b", "c"]);
  inside.get("a")![Symbol.dispose]();
  await nextTurn();
  assert.deepEqual([...inside.keys()], ["a", "b", "c", "d"]);
});

Deno.test("who comes again waits behind all others, and has half of the places at most", async () => {
  const gate = new Gate(4);
  const again = enterAll(gate, "abcd", { again: true });
  await nextTurn();
  assert.deepEqual([...again.keys()], ["a", "b"]);
  const first = enterAll(gate, "wxyz");
  await nextTurn();
  assert.deepEqual([...first.keys()], ["w", "x"]);
  again.get("a")![Symbol.dispose]();
  again.get("b")![Symbol.dispose]();
  await nextTurn();
  assert.deepEqual([[...first.keys()], again.size], [["w", "x", "y", "z"], 2]);
  for (const name of "wxy") first.get(name)![Symbol.dispose]();
  await nextTurn();
  assert.deepEqual([...again.keys()], ["a", "b", "c", "d"]);
});

Deno.test("who waits no longer takes no place", async () => {
  const gate = new Gate(1);
  const stop = new AbortController();
  const first = enterAll(gate, "a");
  const ended = enterAll(gate, "b", { signal: stop.signal });
  const last = enterAll(gate, "c");
  await nextTurn();
  stop.abort();
  await nextTurn();
  assert.deepEqual([...ended], [["b", undefined]]);
  assert.equal(await gate.enter(stop.signal), undefined);
  first.get("a")![Symbol.dispose]();
  await nextTurn();
  assert.deepEqual([...last.keys()], ["c"]);
  last.get("c")![Symbol.dispose]();
  const again = enterAll(gate, "d");
  await nextTurn();
  assert.deepEqual([...again.keys()], ["d"]);
});
