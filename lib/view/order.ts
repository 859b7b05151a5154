import type { Worker } from "../exposition/api_v1.ts";
import { severityOf } from "./worker_notes.ts";
import { kvRatio, slotRatio } from "./worker_ratios.ts";

/** By what workers can be ordered. */
export type SortKey =
  | ("worker" | "state" | "model")
  | ("kv" | "slots" | "waiting" | "flight" | "age" | "requests" | "errors");

export interface Order {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** Those that need attention first, then those that are loaded. */
export const BY_ATTENTION: Order = { key: "state", descending: false };

/** Whether the order by a key begins with the largest, unless it is turned round. */
export function isLargestFirst(key: SortKey): boolean {
  return key !== "worker" && key !== "state" && key !== "model";
}

/** A worker, with its last sign of life in milliseconds of the server's clock; undefined when it never gave one. */
export interface Seen {
  readonly worker: Worker;
  readonly seenMs: number | undefined;
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
  const placed = Array.from(rows, (row): Placed<Row> => ({
    row,
    rank: VALUES[key](row),
    then: key === "state" ? -(kvRatio(row.worker) ?? -1) : 0,
  }));
  placed.sort((a, b) =>
    compareRanks(a.rank, b.rank, sign) || a.then - b.then || idSign * byId(a.row.worker, b.row.worker)
  );
  return placed.map(({ row }) => row);
}

const VALUES: Readonly<Record<SortKey, (row: Seen) => number | string | undefined>> = {
  worker: () => 0,
  state: ({ worker }) => severityOf(worker),
  model: ({ worker }) => worker.model,
  kv: ({ worker }) => kvRatio(worker),
  slots: ({ worker }) => slotRatio(worker),
  waiting: ({ worker }) => worker.requests_waiting,
  flight: ({ worker }) => worker.requests_in_flight,
  age: ({ seenMs }) => seenMs === undefined ? undefined : -seenMs,
  requests: ({ worker }) => sumOf(worker, "requests"),
  errors: ({ worker }) => sumOf(worker, "errors"),
};

function compareRanks(a: Placed<unknown>["rank"], b: Placed<unknown>["rank"], sign: 1 | -1): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a === b ? 0 : a < b ? -sign : sign;
}

/** Ids are numbers of up to 64 bits: the longer one is larger. */
export function byId({ id: a }: Worker, { id: b }: Worker): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** What a worker's endpoints counted together; undefined if none says. */
export function sumOf({ endpoints }: Worker, name: "requests" | "errors"): number | undefined {
  const values = (endpoints ?? []).map((endpoint) => endpoint[name]).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}
