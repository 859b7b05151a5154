/** What keeps rows from running away from who is about to use them: a mouse, a finger, or the keyboard's focus. */
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Row, TargetView } from "../lib/view/fleet_view.ts";
import type { Model } from "./model.ts";
import { arrange, type Filter, type Order } from "../lib/view/order.ts";

/** How long a touch holds the order: nobody knows where a finger that is lifted will come down. */
const TOUCH_HOLD_MS = 5_000;

/** Whether a pointer holds the order: a mouse while it is over the rows, a finger for some seconds after a touch. */
export function usePointerHold() {
  const [isHeld, hold] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    isHeld,
    onPointerEnter: ({ pointerType }: PointerEvent) => pointerType === "mouse" && hold(true),
    onPointerLeave: ({ pointerType }: PointerEvent) => pointerType === "mouse" && hold(false),
    onPointerDown: ({ pointerType }: PointerEvent) => {
      if (pointerType === "mouse") return;
      clearTimeout(timer.current);
      timer.current = setTimeout(() => hold(false), TOUCH_HOLD_MS);
      hold(true);
    },
  };
}

/** The rows in their order. While it is held rows stay where they are: those that are gone leave, new ones come last. */
export function useArranged(
  { model, target, order, filter, isHeld }: {
    model: Model;
    target: TargetView;
    order: Order;
    filter: Filter;
    isHeld: boolean;
  },
): Row[] {
  const of = [target, order.key, order.descending, filter.text, filter.state];
  const last = useRef<{ rows: Row[]; of: readonly unknown[] }>({ rows: [], of: [] });
  return useMemo(() => {
    const isSame = of.every((part, n) => part === last.current.of[n]);
    const searched = { ...filter, textOf: ({ haystack }: Row) => haystack };
    let rows: Row[];
    if (isHeld && isSame) {
      const kept = last.current.rows.filter((row) => target.rows.get(row.worker.id) === row);
      const known = new Set(kept);
      const others = [...target.rows.values()].filter((row) => !known.has(row));
      rows = [...kept, ...arrange(others, order, searched)];
    } else {
      rows = arrange(target.rows.values(), order, searched);
    }
    last.current = { rows, of };
    return rows;
  }, [model.version, ...of, isHeld]);
}

export interface RowFocus {
  /** The id of the worker whose row has the keyboard's focus. */
  readonly id: string | undefined;
  readonly onFocusIn: (event: FocusEvent) => void;
  readonly onFocusOut: (event: FocusEvent) => void;
}

/**
 * The keyboard's focus in a table's body. A link that a mouse has pressed has none that counts. `from` is the worker whose row
 * is focused at first.
 */
export function useRowFocus(from: string | undefined): RowFocus & { readonly focus: (id: string) => void } {
  const [id, set] = useState(from);
  return {
    id,
    focus: set,
    onFocusIn: ({ target }) => set((target as Element).matches(":focus-visible") ? idOf(target) : undefined),
    // Of a window that is left the element stays the one with the focus.
    onFocusOut: ({ target }) => {
      if (document.activeElement !== target) set(undefined);
    },
  };
}

/** Gives the focus to the row that is to have it, or if it is gone, to the one in its place; and arrow keys move it. */
export function useFocusedRow(
  body: RefObject<HTMLElement | null>,
  rows: readonly Row[],
  { id, focus }: Pick<ReturnType<typeof useRowFocus>, "id" | "focus">,
): { readonly index: number | undefined; readonly onKeyDown: (event: KeyboardEvent) => void } {
  const place = useRef(0);
  const isMoved = useRef(false);
  const found = id === undefined ? -1 : rows.findIndex((row) => row.worker.id === id);
  if (found !== -1) place.current = found;
  useLayoutEffect(() => {
    if (id === undefined) return;
    const inPlace = rows[Math.min(place.current, rows.length - 1)];
    if (found === -1) {
      if (inPlace !== undefined) focus(inPlace.worker.id);
      return;
    }
    const link = body.current!.querySelector<HTMLElement>(`tr[data-id="${CSS.escape(id)}"] a`);
    if (document.activeElement !== link) link?.focus({ preventScroll: !isMoved.current });
    isMoved.current = false;
  });
  return {
    index: found === -1 ? undefined : found,
    onKeyDown: (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const at = rows.findIndex((row) => row.worker.id === idOf(event.target));
      const next = step === undefined || at === -1 ? undefined : rows[at + step];
      if (next === undefined) return;
      event.preventDefault();
      isMoved.current = true;
      focus(next.worker.id);
    },
  };
}

function idOf(target: EventTarget | null): string | undefined {
  return (target as Element | null)?.closest<HTMLElement>("tr[data-id]")?.dataset["id"];
}
