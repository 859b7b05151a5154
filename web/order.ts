import type { Row } from "./fleet_view.ts";
import type { State, Worker } from "../lib/exposition/api_v1.ts";

/** What wants a look comes first. */
export const STATES: readonly State[] = ["silent", "undecodable", "no_data", "discovered", "responding"];

export const SORT_KEYS = ["worker", "state", "model", "kv", "slots", "waiting", "errors", "age"] as const;
export type SortKey = typeof SORT_KEYS[number];

export interface Order {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** Those that need attention first, then those that are loaded. */
export const BY_ATTENTION: Order = { key: "state", descending: false };

export interface Filter {
  readonly text: string;
  readonly state: State | undefined;
}

/** The rows that pass the filter, in this order; rows without the number come last, equal ones by id. */
export function arrange(rows: Iterable<Row>, order: Order, filter: Filter): Row[] {
  const needles = filter.text.toLowerCase().split(/\s+/).filter((needle) => needle !== "");
  const kept: Row[] = [];
  for (const row of rows) {
    if (filter.state !== undefined && row.worker.state !== filter.state) continue;
    if (needles.every((needle) => row.haystack.includes(needle))) kept.push(row);
  }
  return kept.sort(comparator(order));
}

export function kvRatio({ kv_blocks_used, kv_blocks_total, cache_usage }: Worker): number | undefined {
  return ratio(kv_blocks_used, kv_blocks_total) ?? cache_usage;
}

export function slotRatio({ slots_active, slots_total }: Worker): number | undefined {
  return ratio(slots_active, slots_total);
}

/** Of all endpoints of the worker together. */
export function errorsOf({ endpoints }: Worker): number | undefined {
  const counts = endpoints?.flatMap(({ errors }) => errors === undefined ? [] : [errors]) ?? [];
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count);
}

export function ratio(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || !whole ? undefined : part / whole;
}

const SEVERITY = new Map(STATES.map((state, n) => [state, n]));

const NUMBERS: Readonly<
  Record<"kv" | "slots" | "waiting" | "errors" | "age", (row: Row) => number | undefined>
> = {
  kv: ({ worker }) => kvRatio(worker),
  slots: ({ worker }) => slotRatio(worker),
  waiting: ({ worker }) => worker.requests_waiting,
  errors: ({ worker }) => errorsOf(worker),
  age: ({ seenMs }) => seenMs === undefined ? undefined : -seenMs,
};

function comparator({ key, descending }: Order): (a: Row, b: Row) => number {
  const sign = descending ? -1 : 1;
  switch (key) {
    case "worker":
      return (a, b) => sign * byId(a, b);
    case "model":
      return (a, b) => sign * byText(a.worker.model, b.worker.model) || byId(a, b);
    case "state":
      return (a, b) =>
        sign * (SEVERITY.get(a.worker.state)! - SEVERITY.get(b.worker.state)!) ||
        byNumber(kvRatio(b.worker), kvRatio(a.worker)) || byId(a, b);
    default: {
      const number = NUMBERS[key];
      return (a, b) => {
        const [x, y] = [number(a), number(b)];
        if (x === undefined || y === undefined) {
          return Number(x === undefined) - Number(y === undefined) || byId(a, b);
        }
        return sign * (x - y) || byId(a, b);
      };
    }
  }
}

/** Ids are numbers of up to 64 bits: the longer one is larger. */
function byId({ worker: { id: a } }: Row, { worker: { id: b } }: Row): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

function byText(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byNumber(a = -1, b = -1): number {
  return a - b;
}
