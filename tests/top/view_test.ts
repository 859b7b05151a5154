import assert from "node:assert/strict";
import {
  afterPress,
  FIRST_VIEW,
  firstView,
  type Key,
  type Press,
  type Shown,
  type View,
  windowOf,
} from "../../lib/top/view.ts";

const ids = Array.from({ length: 20 }, (_, n) => `w${n}`);
const shown: Shown = { ids, height: 5, targets: 1, detailEnd: 3 };

/** Keys by name, and after a colon characters. */
function press(view: View, keys: readonly (Key | `:${string}`)[], of: Shown = shown): View {
  const presses = keys.flatMap((key): Press[] =>
    key.startsWith(":") ? [...key.slice(1)].map((char) => ({ char })) : [{ key: key as Key }]
  );
  return presses.reduce((view, press) => afterPress(view, press, of), view);
}

Deno.test("the chosen row moves by keys, is always seen, and stays within the rows", () => {
  const rows: [keys: Parameters<typeof press>[1], index: number, top: number][] = [
    [[], 0, 0],
    [["down", "down"], 2, 0],
    [["up"], 0, 0],
    [["down", "down", "down", "down", "down"], 5, 1],
    [["page_down"], 5, 1],
    [["end"], 19, 15],
    [["end", "down"], 19, 15],
    [["end", "page_up"], 14, 14],
    [["end", "home"], 0, 0],
    [[":jjk"], 1, 0],
    [[":G"], 19, 15],
    [[":Gg"], 0, 0],
  ];
  for (const [keys, index, top] of rows) {
    assert.deepEqual(windowOf(press(FIRST_VIEW, keys), shown), { index, top }, keys.join());
  }
});

Deno.test("the chosen row follows its worker when the order changes, and keeps its place when the worker goes", () => {
  const chosen = press(FIRST_VIEW, ["down", "down"]);
  assert.equal(windowOf(chosen, { ...shown, ids: ids.toReversed() }).index, 17);
  assert.equal(windowOf(chosen, { ...shown, ids: ids.filter((id) => id !== "w2") }).index, 2);
  assert.deepEqual(windowOf(chosen, { ...shown, ids: ["a"] }), { index: 0, top: 0 });
  assert.deepEqual(windowOf(chosen, { ...shown, ids: [] }), { index: 0, top: 0 });
});

Deno.test("who chose nothing sees whoever is first", () => {
  assert.equal(windowOf(FIRST_VIEW, { ...shown, ids: ids.toReversed() }).index, 0);
  assert.deepEqual(press(FIRST_VIEW, ["enter"], { ...shown, ids: ids.toReversed() }).detail, {
    kind: "worker",
    id: "w19",
    from: 0,
  });
});

Deno.test("s goes through the columns and r turns round, from the first row on", () => {
  const sorted = press(FIRST_VIEW, ["end", ":s"]);
  assert.deepEqual([sorted.sort, sorted.isReversed, windowOf(sorted, shown).index], ["kv", false, 0]);
  assert.equal(press(FIRST_VIEW, [":sssssssss"]).sort, "worker");
  assert.equal(press(FIRST_VIEW, [":ssssssssss"]).sort, "state");
  assert.equal(press(FIRST_VIEW, [":r"]).isReversed, true);
  assert.equal(press(FIRST_VIEW, [":rs"]).isReversed, false);
});

Deno.test("a filter is typed after /, letters that are keys else too; Enter keeps it and Esc clears it", () => {
  const typing = press(FIRST_VIEW, [":/sq", ":x\x1b", "backspace", "backspace"]);
  assert.deepEqual([typing.filter, typing.isTyping, typing.sort], ["sq", true, "state"]);
  const kept = press(typing, ["enter"]);
  assert.deepEqual([kept.filter, kept.isTyping], ["sq", false]);
  assert.equal(press(kept, ["escape"]).filter, "");
  assert.deepEqual([press(typing, ["escape"]).filter, press(typing, ["escape"]).isTyping], ["", false]);
  assert.equal(press(FIRST_VIEW, [":/", `:${"x".repeat(1_000)}`]).filter.length, 64);
});

Deno.test("Enter opens the chosen worker, whose lines move by keys, and Esc closes it where it was", () => {
  const open = press(FIRST_VIEW, ["down", "enter"]);
  assert.deepEqual(open.detail, { kind: "worker", id: "w1", from: 0 });
  assert.equal(press(open, ["down", "down", "down", "down"]).detail?.from, 3);
  assert.equal(press(open, ["end", "up"]).detail?.from, 2);
  assert.deepEqual(press(open, [":s"]), open);
  const closed = press(open, ["escape"]);
  assert.deepEqual([closed.detail, windowOf(closed, shown).index], [undefined, 1]);
  assert.equal(press(FIRST_VIEW, ["enter"], { ...shown, ids: [] }).detail, undefined);
});

Deno.test("a worker that was asked for is shown first, and Esc leads to all of them", () => {
  assert.deepEqual(firstView("w7").detail, { kind: "worker", id: "w7", from: 0 });
  assert.equal(press(firstView("w7"), ["escape"]).detail, undefined);
  assert.equal(firstView(undefined).detail, undefined);
});

Deno.test("c shows what became of workers, whose lines move by keys; c or Esc leads back", () => {
  const open = press(FIRST_VIEW, ["down", ":c"]);
  assert.deepEqual(open.detail, { kind: "changes", from: 0 });
  assert.deepEqual(press(open, ["down", "down"]).detail, { kind: "changes", from: 2 });
  for (const closed of [press(open, [":c"]), press(open, ["escape"])]) {
    assert.deepEqual([closed.detail, windowOf(closed, shown).index], [undefined, 1]);
  }
  assert.deepEqual(press(FIRST_VIEW, ["enter", ":c"]).detail, { kind: "changes", from: 0 });
  assert.equal(press(FIRST_VIEW, [":/c"]).filter, "c");
});

Deno.test("q ends everywhere but in a filter that is typed", () => {
  assert.equal(FIRST_VIEW.isOver, false);
  assert.equal(press(FIRST_VIEW, [":q"]).isOver, true);
  assert.equal(press(FIRST_VIEW, ["enter", ":q"]).isOver, true);
  assert.equal(press(FIRST_VIEW, [":/q"]).isOver, false);
});

Deno.test("Tab goes to the next target, with its order and filter", () => {
  const two = { ...shown, targets: 2 };
  const next = press(FIRST_VIEW, ["down", ":s", "tab"], two);
  assert.deepEqual([next.target, next.sort, windowOf(next, shown).index], [1, "kv", 0]);
  assert.equal(press(next, ["tab"], two).target, 0);
  assert.equal(press(FIRST_VIEW, ["tab"]).target, 0);
});
