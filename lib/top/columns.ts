import { kvRatio, slotRatio } from "../view/worker_ratios.ts";
import { bar } from "./bar.ts";
import type { Aggregate, State, Worker } from "../exposition/api_v1.ts";
import { printable, shortId } from "../view/printable.ts";
import { conditionOf, partialNote, silentRanks, stuckMs } from "../view/worker_notes.ts";
import { type Color, fit, type Line, type Span } from "./line.ts";
import { ofText, percentText, shortNumber, spanText, UNKNOWN } from "./numbers.ts";
import { type SortKey, sumOf } from "../view/order.ts";
import type { Moments } from "./source.ts";

/** A column of the table of workers. */
export interface Column {
  readonly title: string;
  readonly width: number;
  /** By which key the table is ordered by it. */
  readonly sort?: SortKey;
  readonly isNumber?: true;
  /** It takes what room is left. */
  readonly isBar?: true;
  /** Whether the workers have anything to show in it; without this they always have. */
  isWanted?(workers: Aggregate): boolean;
  cell(worker: Worker, shown: Moments & { readonly width: number }): Line;
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
  cell: (worker, { knownMs }) => [stateOf(worker, knownMs)],
};
/** Where there is no room for all digits: the last tell workers apart. */
const SHORT_WORKER: Column = { ...WORKER, width: 9, cell: ({ id }) => [{ text: shortId(id) }] };
/** Over how many of its ranks a worker's numbers are, and whether one of these is silent. */
const RANKS: Column = {
  title: "RANKS",
  width: 9,
  isWanted: ({ workers_partial, ranks_silent }) => !!workers_partial || !!ranks_silent,
  cell: (worker) => [ranksOf(worker)],
};
const KV = utilisation("KV", "kv", kvRatio);
/** Where there is no room for a bar. */
const SHORT_KV: Column = {
  title: "KV",
  width: PERCENT_WIDTH,
  sort: "kv",
  isNumber: true,
  cell: (worker) => [{ text: percentText(kvRatio(worker)).padStart(PERCENT_WIDTH) }],
};
const SLOTS = utilisation("SLOTS", "slots", slotRatio);
const WAITING = number("WAIT", 5, ({ requests_waiting }) => shortNumber(requests_waiting), "waiting");
const IN_FLIGHT: Column = {
  ...number("INFL", 5, ({ requests_in_flight }) => shortNumber(requests_in_flight), "flight"),
  isWanted: ({ requests_in_flight }) => requests_in_flight !== undefined,
};
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
  RANKS,
  KV,
  BLOCKS,
  SLOTS,
  ACTIVE,
  WAITING,
  IN_FLIGHT,
  CACHE,
  HIT,
  AGE,
  REQUESTS,
  ERRORS,
  TYPE,
  RELEASE,
  MODEL,
];

/** Which are shown first where there is not room for all. No number comes before the ranks that it is over. */
const BY_NEED: readonly Column[] = [
  WORKER,
  STATE,
  RANKS,
  KV,
  AGE,
  WAITING,
  IN_FLIGHT,
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

/** What takes less room, tried one after the other until there is room for the load. */
const SHORTER: readonly ReadonlyMap<Column, Column>[] = [
  new Map(),
  new Map([[WORKER, SHORT_WORKER]]),
  new Map([[WORKER, SHORT_WORKER], [KV, SHORT_KV]]),
];

/** How wide a bar may grow. */
const MAX_BAR = 30;

/** Columns of these workers that a width has room for, one cell apart, the bars as wide as there is room. */
export function columnsFor(
  width: number,
  workers: Aggregate,
): readonly { readonly column: Column; readonly width: number }[] {
  const tries = SHORTER.map((shorter) => columnsIn(width, { workers, shorter }));
  const { taken, left } = tries.find(({ taken }) => taken.has(KV)) ?? tries[0]!;
  const columns = COLUMNS.flatMap((column) => taken.get(column) ?? []);
  const bars = columns.filter(({ isBar }) => isBar).length;
  const more = bars === 0 ? 0 : Math.max(0, Math.floor(left / bars));
  return columns.map((column) => ({
    column,
    width: column.isBar ? Math.min(MAX_BAR + PERCENT_WIDTH, column.width + more) : column.width,
  }));
}

/** Columns that there is room for by need, each with what is shown of it, and how many cells are left. */
function columnsIn(
  width: number,
  { workers, shorter }: { readonly workers: Aggregate; readonly shorter: ReadonlyMap<Column, Column> },
): { readonly taken: ReadonlyMap<Column, Column>; readonly left: number } {
  const taken = new Map<Column, Column>();
  let left = width + 1;
  for (const column of BY_NEED) {
    if (column.isWanted?.(workers) === false) continue;
    const shown = shorter.get(column) ?? column;
    if (shown.width + 1 > left && taken.size > 0) break;
    taken.set(column, shown);
    left -= shown.width + 1;
  }
  return { taken, left };
}

/** Its state, or in what trouble it is that the state does not tell. */
function stateOf(worker: Worker, knownMs: number): Span {
  const condition = conditionOf(worker);
  switch (condition) {
    case "stuck":
      return { text: `stuck ${spanText(stuckMs(worker, knownMs))}`, color: "red", bold: true };
    case "silent_ranks":
      return { text: "rank silent", color: "red" };
    default:
      return { text: condition, color: STATE_COLORS[condition] };
  }
}

/** `4 of 8`, with a `!` where a rank is silent. */
function ranksOf(worker: Worker): Span {
  const silent = silentRanks(worker).length;
  const color = silent > 0 ? "red" : partialNote(worker) === undefined ? undefined : "yellow";
  const text = ranksText(worker);
  if (text === undefined) return { text: silent > 0 ? `${silent} silent` : "", color };
  return { text: silent > 0 ? `${text}!` : text, color };
}

/** `4 of 8`: over how many of its ranks the numbers are; undefined of a worker with one. */
export function ranksText({ ranks_heard, ranks_expected }: Worker): string | undefined {
  return ranks_heard === undefined || ranks_expected === undefined
    ? undefined
    : `${ranks_heard} of ${ranks_expected}`;
}

/** How long a worker gave no sign of life; undefined where that says nothing. */
export function ageMs({ last_seen_at }: Worker, nowMs: number): number | undefined {
  return last_seen_at === undefined ? undefined : nowMs - Date.parse(last_seen_at);
}

/** A worker's cells in one line. */
export function rowOf(
  worker: Worker,
  { columns, ...moments }: Moments & { readonly columns: ReturnType<typeof columnsFor> },
): Line {
  return columns.flatMap(({ column, width }, n) => [
    ...(n === 0 ? [] : [{ text: " " }]),
    ...fit(column.cell(worker, { width, ...moments }), width),
  ]);
}
