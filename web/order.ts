import { kvRatio, slotRatio } from "../lib/exposition/worker_ratios.ts";
import type { Row } from "./fleet_view.ts";
import type { State, Worker } from "../lib/exposition/api_v1.ts";
import { severityOf } from "../lib/exposition/worker_notes.ts";

/** In the order by which they are looked at. */
export const STATES: readonly State[] = ["silent", "undecodable", "no_data", "discovered", "responding"];

export const SORT_KEYS = [
  "worker",
  "state",
  "model",
  "kv",
  "slots",
  "waiting",
  "flight",
  "errors",
  "age",
] as const;
export type SortKey = typeof SORT_KEYS[number];

export interface Order {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** Whether the first press on a column's heading orders its largest first. */
export const FIRST_DESCENDING: Readonly<Record<SortKey, boolean>> = {
  worker: false,
  state: false,
  model: false,
  kv: true,
  slots: true,
  waiting: true,
  flight: true,
  errors: true,
  age: true,
};

/** Those that need attention first, then those that are loaded. */
export const BY_ATTENTION: Order = { key: "state", descending: false };

export interface Filter {
  readonly text: string;
  readonly state: State | undefined;
}

/** A row and what it is ordered by: made once a row, for the rows are compared a dozen times each. */
interface Placed {
  readonly row: Row;
  readonly rank: number | string;
  /** Decides between rows of one rank. */
  readonly then: number;
}

/** The rows that pass the filter, in this order; rows without the number come last, equal ones by id. */
export function arrange(rows: Iterable<Row>, order: Order, filter: Filter): Row[] {
  const needles = filter.text.toLowerCase().split(/\s+/).filter((needle) => needle !== "");
  const kept: Placed[] = [];
  for (const row of rows) {
    if (filter.state !== undefined && row.worker.state !== filter.state) continue;
    if (needles.every((needle) => row.haystack.includes(needle))) kept.push(placed(row, order));
  }
  const sign = signOf(order);
  const idSign = order.key === "worker" ? sign : 1;
  kept.sort((a, b) =>
    sign * compare(a.rank, b.rank) || compare(a.then, b.then) || idSign * byId(a.row, b.row)
  );
  return kept.map(({ row }) => row);
}

function placed(row: Row, order: Order): Placed {
  const { worker } = row;
  switch (order.key) {
    case "worker":
      return { row, rank: 0, then: 0 };
    case "model":
      return { row, rank: worker.model ?? "", then: 0 };
    case "state":
      return { row, rank: severityOf(worker), then: -(kvRatio(worker) ?? -1) };
    default:
      return { row, rank: NUMBERS[order.key](row) ?? signOf(order) * Infinity, then: 0 };
  }
}

function signOf({ descending }: Order): 1 | -1 {
  return descending ? -1 : 1;
}

function compare<Rank extends number | string>(a: Rank, b: Rank): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Of all endpoints of the worker together. */
export function errorsOf({ endpoints }: Worker): number | undefined {
  const counts = endpoints?.flatMap(({ errors }) => errors === undefined ? [] : [errors]) ?? [];
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count);
}

export function ratio(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || !whole ? undefined : part / whole;
}

const NUMBERS: Readonly<
  Record<"kv" | "slots" | "waiting" | "flight" | "errors" | "age", (row: Row) => number | undefined>
> = {
  kv: ({ worker }) => kvRatio(worker),
  slots: ({ worker }) => slotRatio(worker),
  waiting: ({ worker }) => worker.requests_waiting,
  flight: ({ worker }) => worker.requests_in_flight,
  errors: ({ worker }) => errorsOf(worker),
  age: ({ seenMs }) => seenMs === undefined ? undefined : -seenMs,
};

/** Ids are numbers of up to 64 bits: the longer one is larger. */
function byId({ worker: { id: a } }: Row, { worker: { id: b } }: Row): number {
  return a.length - b.length || compare(a, b);
}
