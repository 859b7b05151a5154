import { bar } from "./bar.ts";
import type { State, Worker } from "../exposition/api_v1.ts";
import { type Color, fit, type Line, printable } from "./line.ts";
import { ofText, percentText, ratioOf, shortNumber, spanText, UNKNOWN } from "./numbers.ts";
import { type SortKey, sumOf } from "./order.ts";

/** A column of the table of workers. */
export interface Column {
  readonly title: string;
  readonly width: number;
  /** By which key the table is ordered by it. */
  readonly sort?: SortKey;
  readonly isNumber?: true;
  /** It takes what room is left. */
  readonly isBar?: true;
  cell(worker: Worker, shown: { readonly width: number; readonly nowMs: number }): Line;
}

export const STATE_COLORS: Readonly<Record<State, Color>> = {
  responding: "green",
  discovered: "cyan",
  no_data: "yellow",
  undecodable: "red",
  silent: "red",
};

const PERCENT_WIDTH = 5;

function utilisation(title: string, sort: SortKey, ratio: (worker: Worker) => number | undefined): Column {
  return {
    title,
    width: 8 + PERCENT_WIDTH,
    sort,
    isBar: true,
    cell: (worker, { width }) => [
      ...bar(ratio(worker), width - PERCENT_WIDTH),
      { text: percentText(ratio(worker)).padStart(PERCENT_WIDTH) },
    ],
  };
}

function text(title: string, width: number, read: (worker: Worker) => string | undefined): Column {
  return { title, width, cell: (worker) => [{ text: printable(read(worker) ?? UNKNOWN) }] };
}

function number(
  title: string,
  width: number,
  read: (worker: Worker, nowMs: number) => string,
  sort?: SortKey,
): Column {
  return {
    title,
    width,
    isNumber: true,
    ...(sort && { sort }),
    cell: (worker, { nowMs }) => [{ text: read(worker, nowMs).padStart(width) }],
  };
}

const WORKER: Column = { ...text("WORKER", 20, ({ id }) => id), sort: "worker" };
const STATE: Column = {
  title: "STATE",
  width: 11,
  sort: "state",
  cell: ({ state }) => [{ text: state, color: STATE_COLORS[state] }],
};
const KV = utilisation("KV", "kv", (worker) => ratioOf(worker.kv_blocks_used, worker.kv_blocks_total));
const SLOTS = utilisation("SLOTS", "slots", (worker) => ratioOf(worker.slots_active, worker.slots_total));
const WAITING = number("WAIT", 5, ({ requests_waiting }) => shortNumber(requests_waiting), "waiting");
/** Since its last sign of life. */
const AGE = number("AGE", 5, (worker, nowMs) => spanText(ageMs(worker, nowMs)), "age");
const BLOCKS = number("BLOCKS", 11, (worker) => ofText(worker.kv_blocks_used, worker.kv_blocks_total));
const ACTIVE = number("ACTIVE", 9, (worker) => ofText(worker.slots_active, worker.slots_total));
const CACHE = number("CACHE", 5, ({ cache_usage }) => percentText(cache_usage));
const HIT = number("HIT", 5, ({ prefix_hit }) => percentText(prefix_hit));
const REQUESTS = number("REQS", 5, (worker) => shortNumber(sumOf(worker, "requests")), "requests");
const ERRORS = number("ERRS", 5, (worker) => shortNumber(sumOf(worker, "errors")), "errors");
const TYPE = text("TYPE", 10, ({ worker_type }) => worker_type);
const RELEASE = text("RELEASE", 13, ({ release }) => release);
const MODEL = text("MODEL", 24, ({ model }) => model);

/** From left to right. */
export const COLUMNS: readonly Column[] = [
  WORKER,
  STATE,
  KV,
  BLOCKS,
  SLOTS,
  ACTIVE,
  WAITING,
  CACHE,
  HIT,
  AGE,
  REQUESTS,
  ERRORS,
  TYPE,
  RELEASE,
  MODEL,
];

/** Which are shown first where there is not room for all. */
const BY_NEED: readonly Column[] = [
  WORKER,
  STATE,
  KV,
  AGE,
  WAITING,
  SLOTS,
  REQUESTS,
  ERRORS,
  BLOCKS,
  ACTIVE,
  CACHE,
  HIT,
  TYPE,
  RELEASE,
  MODEL,
];

/** How wide a bar may grow. */
const MAX_BAR = 30;

/** The columns that a width has room for, one cell apart, the bars as wide as there is room. */
export function columnsFor(width: number): readonly { readonly column: Column; readonly width: number }[] {
  let left = width + 1;
  const taken = new Set<Column>();
  for (const column of BY_NEED) {
    if (column.width + 1 > left && taken.size > 0) break;
    taken.add(column);
    left -= column.width + 1;
  }
  const bars = [...taken].filter(({ isBar }) => isBar).length;
  const more = bars === 0 ? 0 : Math.max(0, Math.floor(left / bars));
  return COLUMNS.filter((column) => taken.has(column)).map((column) => ({
    column,
    width: column.isBar ? Math.min(MAX_BAR + PERCENT_WIDTH, column.width + more) : column.width,
  }));
}

/** How long a worker gave no sign of life; undefined where that says nothing. */
export function ageMs({ last_seen_at }: Worker, nowMs: number): number | undefined {
  return last_seen_at === undefined ? undefined : nowMs - Date.parse(last_seen_at);
}

/** A worker's cells in one line. */
export function rowOf(
  worker: Worker,
  { columns, nowMs }: { readonly columns: ReturnType<typeof columnsFor>; readonly nowMs: number },
): Line {
  return columns.flatMap(({ column, width }, n) => [
    ...(n === 0 ? [] : [{ text: " " }]),
    ...fit(column.cell(worker, { width, nowMs }), width),
  ]);
}
