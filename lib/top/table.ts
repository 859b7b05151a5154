import { type Column, columnsFor, rowOf } from "./columns.ts";
import type { Worker } from "../exposition/api_v1.ts";
import { fit, type Line } from "./line.ts";
import type { Order } from "./order.ts";

export interface TableOptions {
  readonly columns: number;
  /** The first row shown, and how many there is room for. */
  readonly top: number;
  readonly height: number;
  /** The chosen row. */
  readonly index: number;
  readonly nowMs: number;
  readonly order: Order;
}

/** Stands before the chosen row, which is seen without colours too. */
const CURSOR = "> ";

/** The titles, and the rows from `top` on that there is room for; no other is looked at. */
export function tableLines(
  rows: readonly Worker[],
  { columns, top, height, index, nowMs, order }: TableOptions,
): readonly Line[] {
  const shown = columnsFor(columns - CURSOR.length);
  const titles = shown.map(({ column, width }) => title(column, width, order)).join(" ");
  const lines = rows.slice(top, top + height).map((worker, n) => {
    const isChosen = top + n === index;
    const row = [{ text: isChosen ? CURSOR : "  " }, ...rowOf(worker, { columns: shown, nowMs })];
    return isChosen ? fit(row, columns).map((span) => ({ ...span, bold: true })) : row;
  });
  return [fit([{ text: `  ${titles}` }], columns).map((span) => ({ ...span, inverse: true })), ...lines];
}

/** With an arrow where the table is ordered by it. */
function title({ title, sort, isNumber }: Column, width: number, { sort: by, isReversed }: Order): string {
  const text = sort === by ? `${title}${arrow(by, isReversed)}` : title;
  return isNumber ? text.padStart(width) : text.padEnd(width);
}

/** Ids begin with the lowest, all else with the highest. */
export function arrow(sort: Order["sort"], isReversed: boolean): string {
  return (sort === "worker") === isReversed ? "▼" : "▲";
}
