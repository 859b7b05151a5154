import { columnsFor, type Fitted, isNumber, rowOf } from "./columns.ts";
import type { Aggregate, Worker } from "../exposition/api_v1.ts";
import { fit, type Line } from "./line.ts";
import type { Order } from "./order.ts";
import type { Moments } from "./source.ts";

export interface TableOptions extends Moments {
  readonly columns: number;
  /** What the workers of the target are together. */
  readonly aggregate: Aggregate;
  /** The first row shown, and how many there is room for. */
  readonly top: number;
  readonly height: number;
  /** The chosen row. */
  readonly index: number;
  readonly order: Order;
}

/** Stands before the chosen row, which is seen without colours too. */
const CURSOR = "> ";

/** The titles, and the rows from `top` on that there is room for; no other is looked at. */
export function tableLines(
  rows: readonly Worker[],
  { columns, aggregate, top, height, index, nowMs, knownMs, order }: TableOptions,
): readonly Line[] {
  const shown = columnsFor(columns - CURSOR.length, { aggregate, workers: () => rows });
  const titles = shown.map((column) => title(column, order)).join(" ");
  const lines = rows.slice(top, top + height).map((worker, n) => {
    const isChosen = top + n === index;
    const row = [{ text: isChosen ? CURSOR : "  " }, ...rowOf(worker, { columns: shown, nowMs, knownMs })];
    return isChosen ? fit(row, columns).map((span) => ({ ...span, bold: true })) : row;
  });
  return [fit([{ text: `  ${titles}` }], columns).map((span) => ({ ...span, inverse: true })), ...lines];
}

/** With an arrow where the table is ordered by it. */
function title(fitted: Fitted, { sort: by, isReversed }: Order): string {
  const { column: { key, short }, width } = fitted;
  const text = key === by ? `${short}${arrow(by, isReversed)}` : short;
  return isNumber(fitted) ? text.padStart(width) : text.padEnd(width);
}

/** Ids begin with the lowest, all else with the highest. */
export function arrow(sort: Order["sort"], isReversed: boolean): string {
  return (sort === "worker") === isReversed ? "▼" : "▲";
}
