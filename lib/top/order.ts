import { kvRatio, slotRatio } from "../exposition/worker_ratios.ts";
import type { Worker } from "../exposition/api_v1.ts";
import { severityOf } from "../exposition/worker_notes.ts";

/** By what the table can be ordered, in the order in which the key goes through them. */
export const SORT_KEYS = [
  "worker",
  "state",
  "kv",
  "slots",
  "waiting",
  "in flight",
  "age",
  "requests",
  "errors",
] as const;
export type SortKey = typeof SORT_KEYS[number];

export interface Order {
  readonly sort: SortKey;
  readonly isReversed: boolean;
  /** Text that a row must have. */
  readonly filter: string;
}

/** The highest first, but for the id, in whose order the workers come. */
const VALUES: Readonly<Record<Exclude<SortKey, "worker">, (worker: Worker) => number | undefined>> = {
  state: (worker) => -severityOf(worker),
  kv: kvRatio,
  slots: slotRatio,
  waiting: ({ requests_waiting }) => requests_waiting,
  "in flight": ({ requests_in_flight }) => requests_in_flight,
  age: ({ last_seen_at }) => last_seen_at === undefined ? undefined : -Date.parse(last_seen_at),
  requests: (worker) => sumOf(worker, "requests"),
  errors: (worker) => sumOf(worker, "errors"),
};

/** The workers that the filter lets through, in order; those of whom the number is not known come last either way. */
export function ordered(workers: readonly Worker[], { sort, isReversed, filter }: Order): readonly Worker[] {
  const words = filter.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const shown = words.length === 0 ? workers : workers.filter((worker) => {
    const text = searchText(worker);
    return words.every((word) => text.includes(word));
  });
  if (sort === "worker") return isReversed ? shown.toReversed() : shown;
  const valueOf = VALUES[sort];
  // Those that need the same attention stand by their load, either way, as on the page.
  const thenOf = sort === "state" ? kvRatio : () => undefined;
  const rows = shown.map((worker) => ({ worker, value: valueOf(worker), then: thenOf(worker) }));
  const sign = isReversed ? -1 : 1;
  rows.sort((a, b) => compare(a.value, b.value, sign) || compare(a.then, b.then, 1));
  return rows.map(({ worker }) => worker);
}

/** The highest first, by the sign the lowest; the unknown last either way. */
function compare(a: number | undefined, b: number | undefined, sign: 1 | -1): number {
  return a === undefined || b === undefined
    ? Number(a === undefined) - Number(b === undefined)
    : sign * (b - a);
}

/** What a worker's endpoints counted together; undefined where none says. */
export function sumOf({ endpoints }: Worker, name: "requests" | "errors"): number | undefined {
  const values = (endpoints ?? []).map((endpoint) => endpoint[name]).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

function searchText({ id, state, worker_type, model, release, stuck_since }: Worker): string {
  const stuck = stuck_since === undefined ? "" : "stuck";
  return `${id} ${state} ${stuck} ${worker_type ?? ""} ${model ?? ""} ${release ?? ""}`.toLowerCase();
}
