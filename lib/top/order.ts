import type { Worker } from "../exposition/api_v1.ts";
import { type ColumnKey, type Seen, TOP_COLUMNS } from "../view/columns.ts";
import { filterWords, searchText } from "../view/filter.ts";
import { inOrder, isLargestFirst } from "../view/order.ts";

/** By what the table can be ordered, in the order in which the key goes through them. */
export const SORT_KEYS: readonly ColumnKey[] = TOP_COLUMNS.filter(({ sort }) => sort).map(({ key }) => key);

export interface Order {
  readonly sort: ColumnKey;
  readonly isReversed: boolean;
  /** Text that a row must have. */
  readonly filter: string;
}

/** The workers that the filter lets through, in order. */
export function ordered(workers: readonly Worker[], { sort, isReversed, filter }: Order): readonly Worker[] {
  const words = filterWords(filter);
  const shown = words.length === 0 ? workers : workers.filter((worker) => {
    const text = searchText(worker);
    return words.every((word) => text.includes(word));
  });
  return inOrder(shown.map(seen), { key: sort, descending: isLargestFirst(sort) !== isReversed })
    .map(({ worker }) => worker);
}

/** The worker with its last sign of life. */
export function seen(worker: Worker): Seen {
  const { last_seen_at } = worker;
  return { worker, seenMs: last_seen_at === undefined ? undefined : Date.parse(last_seen_at) };
}
