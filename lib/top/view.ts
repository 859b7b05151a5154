import { printable } from "../view/printable.ts";
import { type Order, SORT_KEYS } from "./order.ts";

/** What somebody at the keyboard has chosen to see. */
export interface View extends Order {
  /** Which target, by its position. */
  readonly target: number;
  /** The filter is being typed. */
  readonly isTyping: boolean;
  /** The chosen row: that of a worker, wherever it moves; without one the row at a position. */
  readonly cursor: { readonly id: string | undefined; readonly index: number };
  /** The first row that is shown. */
  readonly top: number;
  /** What is shown in place of the table, from this line on: a worker alone, or what became of workers lately. */
  readonly detail: Detail | undefined;
  /** Enough was seen. */
  readonly isOver: boolean;
}

export type Detail =
  | { readonly kind: "worker"; readonly id: string; readonly from: number }
  | { readonly kind: "changes"; readonly from: number };

export const FIRST_VIEW: View = {
  target: 0,
  sort: "state",
  isReversed: false,
  filter: "",
  isTyping: false,
  cursor: { id: undefined, index: 0 },
  top: 0,
  detail: undefined,
  isOver: false,
};

/** The first view, or one worker alone. */
export function firstView(worker: string | undefined): View {
  return worker === undefined
    ? FIRST_VIEW
    : { ...FIRST_VIEW, detail: { kind: "worker", id: worker, from: 0 } };
}

export type Key =
  | ("up" | "down" | "page_up" | "page_down" | "home" | "end")
  | ("enter" | "escape" | "backspace" | "tab");

/** A key that has a name, or the character of one that has none. */
export type Press = { readonly key: Key } | { readonly char: string };

/** What a key goes by. */
export interface Shown {
  /** The rows in order. */
  readonly ids: readonly string[];
  /** How many rows there is room for. */
  readonly height: number;
  readonly targets: number;
  /** How far the lines can be moved that stand in place of the table. */
  readonly detailEnd: number;
}

/** Where the chosen row is, and which is the first one shown, so that the chosen one is seen. */
export function windowOf(
  { cursor, top }: Pick<View, "cursor" | "top">,
  { ids, height }: Pick<Shown, "ids" | "height">,
): { readonly index: number; readonly top: number } {
  const found = cursor.id === undefined ? -1 : ids.indexOf(cursor.id);
  const index = Math.max(0, found >= 0 ? found : Math.min(cursor.index, ids.length - 1));
  const lowest = Math.max(0, Math.min(top, ids.length - height));
  return { index, top: Math.max(index - height + 1, Math.min(lowest, index)) };
}

/** The view after a key was pressed. */
export function afterPress(view: View, press: Press, shown: Shown): View {
  if ("char" in press) return afterChar(view, press.char, shown);
  if (view.isTyping) return typed(view, press.key);
  if (view.detail) return inDetail(view, view.detail, press.key, shown);
  switch (press.key) {
    case "tab":
      return { ...FIRST_VIEW, ...orderOf(view), target: (view.target + 1) % Math.max(1, shown.targets) };
    case "escape":
      return { ...view, filter: "" };
    case "enter": {
      const id = shown.ids[windowOf(view, shown).index];
      return id === undefined ? view : { ...view, detail: { kind: "worker", id, from: 0 } };
    }
    case "backspace":
      return view;
    default:
      return moved(view, press.key, shown);
  }
}

const LETTERS: Readonly<Record<string, "up" | "down" | "home" | "end">> = {
  k: "up",
  j: "down",
  g: "home",
  G: "end",
};

function afterChar(view: View, char: string, shown: Shown): View {
  if (view.isTyping) return filtered(view, view.filter + printable(char));
  if (char === "q") return { ...view, isOver: true };
  const move = LETTERS[char];
  if (move !== undefined) return afterPress(view, { key: move }, shown);
  if (char === "c") {
    return { ...view, detail: view.detail?.kind === "changes" ? undefined : { kind: "changes", from: 0 } };
  }
  if (view.detail) return view;
  if (char === "/") return { ...view, isTyping: true };
  if (char === "s") return { ...toTop(view), sort: nextSort(view.sort), isReversed: false };
  if (char === "r") return { ...toTop(view), isReversed: !view.isReversed };
  return view;
}

function typed(view: View, key: Key): View {
  switch (key) {
    case "backspace":
      return filtered(view, [...view.filter].slice(0, -1).join(""));
    case "enter":
      return { ...view, isTyping: false };
    case "escape":
      return { ...filtered(view, ""), isTyping: false };
    default:
      return view;
  }
}

function filtered(view: View, filter: string): View {
  return { ...toTop(view), filter: filter.slice(0, MAX_FILTER) };
}

const MAX_FILTER = 64;

function inDetail(
  view: View,
  detail: Detail,
  key: Key,
  { detailEnd, height }: Shown,
): View {
  if (key === "escape" || key === "enter" || key === "backspace") return { ...view, detail: undefined };
  const to = detail.from + steps(key, { height, count: detailEnd + 1 });
  return { ...view, detail: { ...detail, from: Math.max(0, Math.min(to, detailEnd)) } };
}

function moved(view: View, key: Key, { ids, height, ...shown }: Shown): View {
  const { index, top } = windowOf(view, { ids, height });
  const to = Math.max(0, Math.min(index + steps(key, { height, count: ids.length }), ids.length - 1));
  // The first row is that of whoever comes first.
  const next = { ...view, top, cursor: { id: to === 0 ? undefined : ids[to], index: to } };
  return { ...next, top: windowOf(next, { ids, height, ...shown }).top };
}

function steps(
  key: Key,
  { height, count }: { readonly height: number; readonly count: number },
): number {
  switch (key) {
    case "up":
      return -1;
    case "down":
      return 1;
    case "page_up":
      return -height;
    case "page_down":
      return height;
    case "home":
      return -count;
    case "end":
      return count;
    default:
      return 0;
  }
}

function toTop(view: View): View {
  return { ...view, cursor: FIRST_VIEW.cursor, top: 0 };
}

function orderOf({ sort, isReversed, filter }: View): Order {
  return { sort, isReversed, filter };
}

function nextSort(sort: Order["sort"]): Order["sort"] {
  return SORT_KEYS[(SORT_KEYS.indexOf(sort) + 1) % SORT_KEYS.length]!;
}
