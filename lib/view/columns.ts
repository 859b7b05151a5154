/** THE table of what a row says of a worker. The page, `metrics top` and the table for pipes show parts of it. */

import type { Aggregate, Worker } from "../exposition/api_v1.ts";
import {
  conditionOf,
  firstPassNote,
  partialNote,
  severityOf,
  silentRanks,
  silentRanksNote,
  stuckNote,
} from "./worker_notes.ts";
import { type WaitingWeight, waitingWeight } from "./waiting.ts";
import { kvRatio, slotRatio } from "./worker_ratios.ts";

/** A worker, with its last sign of life in milliseconds of the server's clock; undefined when it never gave one. */
export interface Seen {
  readonly worker: Worker;
  readonly seenMs: number | undefined;
}

/** What a row has in a column; what is not known is undefined. */
export type Cell =
  | { readonly kind: "id" | "text"; readonly text: string | undefined }
  /** The worker's state, or the trouble it is in. */
  | { readonly kind: "condition"; readonly condition: ReturnType<typeof conditionOf> }
  /** Over how many ranks the numbers are, and how many ranks are silent. */
  | {
    readonly kind: "ranks";
    readonly text: string | undefined;
    readonly silent: number;
    readonly isPartial: boolean;
  }
  /** A part of something, 0 to 1, and what it is made of. */
  | {
    readonly kind: "share";
    readonly ratio: number | undefined;
    readonly used: number | undefined;
    readonly total: number | undefined;
    readonly what: string;
    readonly note: string | undefined;
  }
  | { readonly kind: "pair"; readonly used: number | undefined; readonly total: number | undefined }
  | { readonly kind: "count"; readonly count: number | undefined; readonly weight: WaitingWeight }
  /** 0 to 1. */
  | { readonly kind: "ratio"; readonly ratio: number | undefined }
  /** When it gave its last sign of life. */
  | { readonly kind: "age"; readonly seenMs: number | undefined };

export interface Column {
  readonly key: string;
  /** On the page, in the terminal, and in the table for pipes. */
  readonly title: string;
  readonly short: string;
  readonly plain: string;
  /** How many characters of a terminal it takes. */
  readonly width: number;
  /** `knownMs` is until when it is known how things are, in milliseconds of the server's clock. */
  readonly cell: (row: Seen, knownMs: number) => Cell;
  /** What rows are ordered by; a column without this orders none. */
  readonly sort?: (row: Seen) => number | string | undefined;
  /** The order begins with the largest. */
  readonly isLargestFirst?: boolean;
  /** Whether a fleet has something to show in it; without this it always has. */
  readonly isWanted?: (fleet: Aggregate, workers: () => Iterable<Worker>) => boolean;
}

type Names = readonly [title: string, short: string, plain: string, width: number];

function column<Key extends string>(
  key: Key,
  [title, short, plain, width]: Names,
  rest: Pick<Column, "cell" | "sort" | "isLargestFirst" | "isWanted">,
): Column & { readonly key: Key } {
  return { key, title, short, plain, width, ...rest };
}

function count<Key extends string>(
  key: Key,
  names: Names,
  { read, weight = () => "none", isWanted }: {
    readonly read: (worker: Worker) => number | undefined;
    readonly weight?: (count: number | undefined, worker: Worker) => WaitingWeight;
    readonly isWanted?: Column["isWanted"];
  },
): Column & { readonly key: Key } {
  return column(key, names, {
    cell: ({ worker }) => {
      const count = read(worker);
      return { kind: "count", count, weight: weight(count, worker) };
    },
    sort: ({ worker }) => read(worker),
    isLargestFirst: true,
    ...(isWanted && { isWanted }),
  });
}

function text<Key extends string>(
  key: Key,
  names: Names,
  read: (worker: Worker) => string | undefined,
): Column & { readonly key: Key } {
  return column(key, names, {
    cell: ({ worker }) => ({ kind: "text", text: read(worker) }),
  });
}

/** Whether some worker has it. */
function anyHas(read: (worker: Worker) => string | undefined): NonNullable<Column["isWanted"]> {
  return (_, workers) => Iterator.from(workers()).some((worker) => read(worker) !== undefined);
}

function share<Key extends string>(
  key: Key,
  names: Names,
  { ratio, used, total, what, note = () => undefined }: {
    readonly ratio: (worker: Worker) => number | undefined;
    readonly used: "kv_blocks_used" | "slots_active";
    readonly total: "kv_blocks_total" | "slots_total";
    readonly what: string;
    readonly note?: (worker: Worker) => string | undefined;
  },
): Column & { readonly key: Key } {
  return column(key, names, {
    cell: ({ worker }) => ({
      kind: "share",
      ratio: ratio(worker),
      used: worker[used],
      total: worker[total],
      what,
      note: note(worker),
    }),
    sort: ({ worker }) => ratio(worker),
    isLargestFirst: true,
  });
}

/** All columns, in the order in which a wide terminal shows them. */
const ALL = [
  column("worker", ["Worker", "WORKER", "WORKER", 20], {
    cell: ({ worker: { id } }) => ({ kind: "id", text: id }),
    sort: () => 0, // Equal rows are ordered by id.
  }),
  column("state", ["State", "STATE", "STATE", 11], {
    cell: ({ worker }) => ({ kind: "condition", condition: conditionOf(worker) }),
    sort: ({ worker }) => severityOf(worker),
  }),
  column("ranks", ["Ranks", "RANKS", "RANKS", 9], {
    cell: ({ worker }) => ({
      kind: "ranks",
      text: ranksText(worker),
      silent: silentRanks(worker).length,
      isPartial: partialNote(worker) !== undefined,
    }),
    isWanted: ({ workers_partial, ranks_silent }) => !!workers_partial || !!ranks_silent,
  }),
  share("kv", ["KV cache", "KV", "KV", 13], {
    ratio: kvRatio,
    used: "kv_blocks_used",
    total: "kv_blocks_total",
    what: "blocks",
    note: partialNote,
  }),
  column("blocks", ["Blocks", "BLOCKS", "KV", 11], {
    cell: ({ worker }) => ({ kind: "pair", used: worker.kv_blocks_used, total: worker.kv_blocks_total }),
  }),
  share("slots", ["Slots", "SLOTS", "SLOTS", 13], {
    ratio: slotRatio,
    used: "slots_active",
    total: "slots_total",
    what: "slots",
  }),
  column("active", ["Active", "ACTIVE", "SLOTS", 9], {
    cell: ({ worker }) => ({ kind: "pair", used: worker.slots_active, total: worker.slots_total }),
  }),
  count("waiting", ["Waiting", "WAIT", "WAITING", 5], {
    read: ({ requests_waiting }) => requests_waiting,
    weight: (waiting, { slots_total }) => waitingWeight(waiting, slots_total),
  }),
  count("flight", ["In flight", "INFL", "INFLIGHT", 5], {
    read: ({ requests_in_flight }) => requests_in_flight,
    isWanted: ({ requests_in_flight }) => requests_in_flight !== undefined,
  }),
  column("cache", ["Cache", "CACHE", "CACHE", 5], {
    cell: ({ worker }) => ({ kind: "ratio", ratio: worker.cache_usage }),
  }),
  column("hits", ["Prefix hits", "HIT", "HITS", 5], {
    cell: ({ worker }) => ({ kind: "ratio", ratio: worker.prefix_hit }),
  }),
  column("age", ["Seen", "AGE", "AGE", 5], {
    cell: ({ seenMs }) => ({ kind: "age", seenMs }),
    sort: ({ seenMs }) => seenMs === undefined ? undefined : -seenMs,
    isLargestFirst: true,
  }),
  count("requests", ["Requests", "REQS", "REQUESTS", 5], { read: (worker) => sumOf(worker, "requests") }),
  count("errors", ["Errors", "ERRS", "ERRORS", 5], {
    read: (worker) => sumOf(worker, "errors"),
    weight: (errors) => errors ? "many" : "none",
  }),
  text("type", ["Type", "TYPE", "TYPE", 10], ({ worker_type }) => worker_type),
  text("release", ["Release", "RELEASE", "RELEASE", 13], ({ release }) => release),
  column("model", ["Model", "MODEL", "MODEL", 24], {
    cell: ({ worker: { model } }) => ({ kind: "text", text: model }),
    sort: ({ worker: { model } }) => model,
    isWanted: anyHas(({ model }) => model),
  }),
  column("note", ["Note", "NOTE", "NOTE", 40], {
    cell: ({ worker }, nowMs) => ({ kind: "text", text: noteOf(worker, nowMs) }),
    isWanted: anyHas((worker) => noteOf(worker, 0)),
  }),
] as const;

export type ColumnKey = typeof ALL[number]["key"];
export type KnownColumn = Column & { readonly key: ColumnKey };
export const COLUMNS: ReadonlyMap<ColumnKey, KnownColumn> = new Map(
  ALL.map((column) => [column.key, column]),
);

function only(...keys: readonly ColumnKey[]): readonly KnownColumn[] {
  return keys.map((key) => COLUMNS.get(key)!);
}

/** What the page shows, from left to right. */
export const PAGE_COLUMNS = only(
  "state",
  "worker",
  "model",
  "kv",
  "slots",
  "waiting",
  "flight",
  "errors",
  "age",
);

/** What the table for pipes shows. */
export const PLAIN_COLUMNS = only(
  ...["worker", "state", "ranks", "blocks", "active", "waiting", "flight", "cache", "hits", "age"] as const,
  ...["requests", "errors", "type", "release", "model", "note"] as const,
);

/** What a terminal shows that is wide enough. */
export const TOP_COLUMNS: readonly KnownColumn[] = ALL.filter(({ key }) => key !== "note");

/** What a terminal shows first where there is not room for all. No number comes before the ranks that it is over. */
export const TOP_COLUMNS_BY_NEED = only(
  ...["worker", "state", "ranks", "kv", "age", "waiting", "flight", "slots", "requests", "errors"] as const,
  ...["blocks", "active", "cache", "hits", "type", "release", "model"] as const,
);

/** Those that a fleet has something to show in. */
export function wanted(
  columns: readonly KnownColumn[],
  { aggregate, workers }: { readonly aggregate: Aggregate; readonly workers: () => Iterable<Worker> },
): readonly KnownColumn[] {
  return columns.filter(({ isWanted }) => isWanted?.(aggregate, workers) !== false);
}

/** `4 of 8`: over how many of its ranks the numbers are; undefined of a worker with one. */
function ranksText({ ranks_heard, ranks_expected }: Worker): string | undefined {
  return ranks_heard === undefined || ranks_expected === undefined
    ? undefined
    : `${ranks_heard} of ${ranks_expected}`;
}

/** What a worker's endpoints counted together; undefined if none says. */
function sumOf({ endpoints = [] }: Worker, field: "requests" | "errors"): number | undefined {
  const counts = endpoints.flatMap((endpoint) => endpoint[field] ?? []);
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}

/** What a state and numbers do not say. */
function noteOf(worker: Worker, nowMs: number): string | undefined {
  const notes = [stuckNote(worker, nowMs), silentRanksNote(worker), firstPassNote(worker)];
  return notes.filter((note) => note !== undefined).join("; ") || undefined;
}
