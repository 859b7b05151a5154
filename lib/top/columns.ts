import type { Aggregate, State, Worker } from "../exposition/api_v1.ts";
import {
  type Cell,
  type ColumnKey,
  type KnownColumn,
  TOP_COLUMNS,
  TOP_COLUMNS_BY_NEED,
  wanted,
} from "../view/columns.ts";
import { printable, shortId } from "../view/printable.ts";
import { stuckMs } from "../view/worker_notes.ts";
import { bar } from "./bar.ts";
import { type Color, fit, type Line, type Span } from "./line.ts";
import { ofText, percentText, shortNumber, spanText, UNKNOWN } from "./numbers.ts";
import { seen } from "./order.ts";
import type { Moments } from "./source.ts";

export const STATE_COLORS: Readonly<Record<State, Color>> = {
  responding: "green",
  discovered: "cyan",
  no_data: "yellow",
  undecodable: "red",
  silent: "red",
};

/** A column as there is room for it. */
export interface Fitted {
  readonly column: KnownColumn;
  readonly width: number;
}

/** How wide a bar may grow, and its number beside it. */
const MAX_BAR = 30;
const PERCENT_WIDTH = 5;
const BARS: readonly ColumnKey[] = ["kv", "slots"];

/** Narrower columns, tried one after the other until there is room for the load. The last digits tell ids apart. */
const SHORTER: readonly Partial<Record<ColumnKey, number>>[] = [
  {},
  { worker: 9 },
  { worker: 9, kv: PERCENT_WIDTH },
];

/** Columns of these workers that a width has room for, one cell apart, the bars as wide as there is room. */
export function columnsFor(
  width: number,
  fleet: { readonly aggregate: Aggregate; readonly workers: () => Iterable<Worker> },
): readonly Fitted[] {
  const byNeed = wanted(TOP_COLUMNS_BY_NEED, fleet);
  const tries = SHORTER.map((shorter) => columnsIn(width, { byNeed, shorter }));
  const { taken, left } = tries.find(({ taken }) => taken.has("kv")) ?? tries[0]!;
  const bars = BARS.filter((key) => (taken.get(key) ?? 0) > PERCENT_WIDTH);
  const more = bars.length === 0 ? 0 : Math.max(0, Math.floor(left / bars.length));
  return TOP_COLUMNS.filter(({ key }) => taken.has(key)).map((column) => {
    const width = taken.get(column.key)!;
    const isBar = bars.includes(column.key);
    return { column, width: isBar ? Math.min(MAX_BAR + PERCENT_WIDTH, width + more) : width };
  });
}

/** The widths of the columns that there is room for, and how many cells are left. */
function columnsIn(
  width: number,
  { byNeed, shorter }: {
    readonly byNeed: readonly KnownColumn[];
    readonly shorter: Partial<Record<ColumnKey, number>>;
  },
): { readonly taken: ReadonlyMap<ColumnKey, number>; readonly left: number } {
  const taken = new Map<ColumnKey, number>();
  let left = width + 1;
  for (const column of byNeed) {
    const shown = shorter[column.key] ?? column.width;
    if (shown + 1 > left && taken.size > 0) break;
    taken.set(column.key, shown);
    left -= shown + 1;
  }
  return { taken, left };
}

/** A worker's cells in one line. */
export function rowOf(
  worker: Worker,
  { columns, ...moments }: Moments & { readonly columns: readonly Fitted[] },
): Line {
  const row = seen(worker);
  return columns.flatMap(({ column, width }, n) => {
    const cell = column.cell(row, moments.knownMs);
    return [...(n === 0 ? [] : [{ text: " " }]), ...fit(drawn(cell, { worker, width, ...moments }), width)];
  });
}

/** Whether a column is at the right. */
export function isNumber({ column: { key }, width }: Fitted): boolean {
  return !LEFT.includes(key) && !(BARS.includes(key) && width > PERCENT_WIDTH);
}

const LEFT: readonly ColumnKey[] = ["worker", "state", "ranks", "type", "release", "model"];

function drawn(
  cell: Cell,
  { worker, width, nowMs, knownMs }: Moments & { readonly worker: Worker; readonly width: number },
): Line {
  const right = (text: string): Line => [{ text: text.padStart(width) }];
  switch (cell.kind) {
    case "id": {
      const id = cell.text!;
      return [{ text: printable(width < id.length ? shortId(id) : id) }];
    }
    case "text":
      return [{ text: printable(cell.text ?? UNKNOWN) }];
    case "condition":
      return [conditionSpan(cell.condition, stuckMs(worker, knownMs))];
    case "ranks":
      return [ranksSpan(cell)];
    case "share": {
      const percent = { text: percentText(cell.ratio).padStart(PERCENT_WIDTH) };
      return width <= PERCENT_WIDTH ? [percent] : [...bar(cell.ratio, width - PERCENT_WIDTH), percent];
    }
    case "pair":
      return right(ofText(cell.used, cell.total));
    case "count":
      return right(shortNumber(cell.count));
    case "ratio":
      return right(percentText(cell.ratio));
    case "age":
      return right(spanText(cell.seenMs === undefined ? undefined : nowMs - cell.seenMs));
  }
}

function conditionSpan(
  condition: Extract<Cell, { kind: "condition" }>["condition"],
  stuckMs: number | undefined,
): Span {
  switch (condition) {
    case "stuck":
      return { text: `stuck ${spanText(stuckMs)}`, color: "red", bold: true };
    case "silent_ranks":
      return { text: "rank silent", color: "red" };
    default:
      return { text: condition, color: STATE_COLORS[condition] };
  }
}

/** `4 of 8`, with a `!` where a rank is silent. */
function ranksSpan({ text, silent, isPartial }: Extract<Cell, { kind: "ranks" }>): Span {
  const color = silent > 0 ? "red" : isPartial ? "yellow" : undefined;
  if (text === undefined) return { text: silent > 0 ? `${silent} silent` : "", color };
  return { text: silent > 0 ? `${text}!` : text, color };
}
