import type { Worker } from "../exposition/api_v1.ts";
import { type ColumnKey, type Seen, TOP_COLUMNS } from "../view/columns.ts";
import { arrange, isLargestFirst } from "../view/order.ts";

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
  const order = { key: sort, descending: isLargestFirst(sort) !== isReversed };
  return arrange(workers.map(seen), order, { text: filter, state: undefined }).map(({ worker }) => worker);
}

/** The worker with its last sign of life. */
export function seen(worker: Worker): Seen {
  const { last_seen_at } = worker;
  return { worker, seenMs: last_seen_at === undefined ? undefined : Date.parse(last_seen_at) };
}
