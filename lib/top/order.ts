import type { Worker } from "../exposition/api_v1.ts";
import { filterWords, searchText } from "../view/filter.ts";
import { inOrder, isLargestFirst, type SortKey } from "../view/order.ts";

/** By what the table can be ordered, in the order in which the key goes through them. */
export const SORT_KEYS = [
  "worker",
  "state",
  "kv",
  "slots",
  "waiting",
  "flight",
  "age",
  "requests",
  "errors",
] as const satisfies readonly SortKey[];

export interface Order {
  readonly sort: typeof SORT_KEYS[number];
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
  const rows = shown.map((worker) => {
    const { last_seen_at } = worker;
    return { worker, seenMs: last_seen_at === undefined ? undefined : Date.parse(last_seen_at) };
  });
  return inOrder(rows, { key: sort, descending: isLargestFirst(sort) !== isReversed })
    .map(({ worker }) => worker);
}
