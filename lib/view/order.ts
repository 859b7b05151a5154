import type { State, Worker } from "../exposition/api_v1.ts";
import { type ColumnKey, COLUMNS, type Seen } from "./columns.ts";
import { filterWords, searchText } from "./filter.ts";
import { kvRatio } from "./worker_ratios.ts";

export interface Order {
  readonly key: ColumnKey;
  readonly descending: boolean;
}

/** Those that need attention first, then those that are loaded. */
export const BY_ATTENTION: Order = { key: "state", descending: false };

/** Whether the order by a key begins with the largest, unless it is turned round. */
export function isLargestFirst(key: ColumnKey): boolean {
  return COLUMNS.get(key)!.isLargestFirst === true;
}

/** States in the order by which they are looked at. */
export const STATES: readonly State[] = ["silent", "undecodable", "no_data", "discovered", "responding"];

export interface Filter {
  /** Words that a row must have, all of them. */
  readonly text: string;
  readonly state: State | undefined;
}

/** The rows that pass the filter, in this order. `textOf` is what the words are looked for in. */
export function arrange<Row extends Seen>(
  rows: Iterable<Row>,
  order: Order,
  { text, state, textOf = ({ worker }) => searchText(worker) }: Filter & {
    readonly textOf?: (row: Row) => string;
  },
): Row[] {
  const words = filterWords(text);
  const kept: Row[] = [];
  for (const row of rows) {
    if (state !== undefined && row.worker.state !== state) continue;
    if (words.length > 0) {
      const looked = textOf(row);
      if (!words.every((word) => looked.includes(word))) continue;
    }
    kept.push(row);
  }
  return inOrder(kept, order);
}

/** What a row is ordered by: made once a row, for the rows are compared a dozen times each. */
interface Placed<Row> {
  readonly row: Row;
  readonly rank: number | string | undefined;
  /** Decides between rows of one rank. */
  readonly then: number;
}

/** The rows in this order; those without the value come last either way, equal ones by id. */
export function inOrder<Row extends Seen>(rows: Iterable<Row>, { key, descending }: Order): Row[] {
  const sign = descending ? -1 : 1;
  const idSign = key === "worker" ? sign : 1;
  const { sort = () => undefined } = COLUMNS.get(key)!;
  const placed = Array.from(rows, (row): Placed<Row> => ({
    row,
    rank: sort(row),
    then: key === "state" ? -(kvRatio(row.worker) ?? -1) : 0,
  }));
  placed.sort((a, b) =>
    compareRanks(a.rank, b.rank, sign) || a.then - b.then || idSign * byId(a.row.worker, b.row.worker)
  );
  return placed.map(({ row }) => row);
}

function compareRanks(a: Placed<unknown>["rank"], b: Placed<unknown>["rank"], sign: 1 | -1): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a === b ? 0 : a < b ? -sign : sign;
}

/** Ids are numbers of up to 64 bits: the longer one is larger. */
export function byId({ id: a }: Worker, { id: b }: Worker): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
