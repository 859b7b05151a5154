import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

/** Rows drawn above and below those that can be seen, so that scrolling and the Tab key find them there. */
const SPARE = 12;
/** However high the screen is. */
const MOST = 150;
/** The height of a row that CSS gives, in pixels. */
export const ROW_HEIGHT = 32;
/** What is drawn changes by so many rows, so that few scrolls draw anew. */
const STEP = 4;

/** Where a table's body begins, in pixels from the upper end of the screen. */
export function topOf(body: HTMLElement): number {
  return body.getBoundingClientRect().top;
}

/** The first row of a table's body that can be seen, from 0. */
export function rowInSight(body: HTMLElement): number {
  return Math.floor(Math.max(0, -topOf(body)) / ROW_HEIGHT);
}

/** A row by its number, or so many rows that are not drawn. */
export type Piece = { readonly row: number } | { readonly gap: number; readonly key: string };

/** What stands in a table's body: the rows from `first` to before `last`, the one with the focus, and gaps for all others. */
export function drawn(
  { first, last, focused = first, count }: {
    first: number;
    last: number;
    focused: number | undefined;
    count: number;
  },
): readonly Piece[] {
  const rows = Array.from({ length: last - first }, (_, n) => first + n);
  if (focused < first) rows.unshift(focused);
  else if (focused >= last && focused < count) rows.push(focused);
  const pieces: Piece[] = [];
  let next = 0;
  for (const row of [...rows, count]) {
    if (row > next) {
      pieces.push({
        gap: row - next,
        key: row < first ? "above" : row === first ? "first" : row < count ? "last" : "below",
      });
    }
    if (row < count) pieces.push({ row });
    next = row + 1;
  }
  return pieces;
}

/** Which rows of a table's body are to be drawn: `first` up to, not including, `last`. */
export function useWindow(
  body: RefObject<HTMLElement | null>,
  count: number,
): { readonly first: number; readonly last: number } {
  const [top, setTop] = useState(0);
  const [seen, setSeen] = useState(0);
  const measure = () => {
    if (body.current === null) return;
    const room = Math.max(0, innerHeight - Math.max(0, topOf(body.current)));
    setTop(Math.floor(rowInSight(body.current) / STEP) * STEP);
    setSeen(Math.min(MOST - 2 * SPARE, Math.ceil(room / ROW_HEIGHT / STEP) * STEP + STEP));
  };
  useLayoutEffect(measure); // What stands above may have grown, or shrunk: rows that this shows come at the next drawing.
  useLayoutEffect(() => {
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => {
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  }, []);
  const last = Math.min(count, top + seen + SPARE);
  return { first: Math.max(0, Math.min(top - SPARE, last - seen)), last };
}
