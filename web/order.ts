import type { State } from "../lib/exposition/api_v1.ts";
import { filterWords } from "../lib/view/filter.ts";
import { type ColumnKey, PAGE_COLUMNS } from "../lib/view/columns.ts";
import { inOrder, type Order } from "../lib/view/order.ts";
import type { Row } from "../lib/view/fleet_view.ts";

/** In the order by which they are looked at. */
export const STATES: readonly State[] = ["silent", "undecodable", "no_data", "discovered", "responding"];

/** By what the table can be ordered. */
export const SORT_KEYS: readonly ColumnKey[] = PAGE_COLUMNS.filter(({ sort }) => sort).map(({ key }) => key);

export interface Filter {
  readonly text: string;
  readonly state: State | undefined;
}

/** The rows that pass the filter, in this order. */
export function arrange(rows: Iterable<Row>, order: Order, { text, state }: Filter): Row[] {
  const words = filterWords(text);
  const kept: Row[] = [];
  for (const row of rows) {
    if (state !== undefined && row.worker.state !== state) continue;
    if (words.every((word) => row.haystack.includes(word))) kept.push(row);
  }
  return inOrder(kept, order);
}
