import { changeLine, changesLines } from "./changes.ts";
import { detailLines } from "./detail.ts";
import type { HistoryAnswer, Target, Worker } from "../exposition/api_v1.ts";
import { headerLines } from "./header.ts";
import { troublesOf } from "../view/verdict.ts";
import { fit, type Line, type Span, spread, widthOf, wrapped } from "./line.ts";
import { ordered } from "./order.ts";
import { type Moments, momentsOf, type Reading } from "./source.ts";
import { arrow, tableLines } from "./table.ts";
import { type Detail, type Shown, type View, windowOf } from "./view.ts";

/** What is shown, and where. */
export interface Picture {
  readonly reading: Reading;
  /** Where the fleet is seen, when not by a monitor of our own. */
  readonly url: string | undefined;
  readonly view: View;
  /** The last minutes of the fleet, and of the worker that is shown alone. */
  readonly past: HistoryAnswer | undefined;
  readonly workerPast: HistoryAnswer | undefined;
  readonly columns: number;
  readonly rows: number;
}

/** The screen's lines, as many as it has rows, and what keys go by. */
export interface Screen extends Shown {
  readonly lines: readonly Line[];
}

/** Below this the numbers of the fleet, all but the load, give way to rows of workers. */
const SHORT_ROWS = 16;

/** @param rows the workers in the view's order, see `rowsOf` */
export function screenOf(picture: Picture, rows: readonly Worker[]): Screen {
  const { fleet } = picture.reading;
  if (fleet === undefined) return waiting(picture);
  const moments = momentsOf(fleet, picture.reading);
  const ids = rows.map(({ id }) => id);
  const targets = fleet.targets.length;
  const header = headerLines(fleet, {
    ...picture,
    target: picture.view.target,
    isShort: picture.rows < SHORT_ROWS,
    ...moments,
  });
  return picture.view.detail
    ? { ids, targets, ...detailPart(picture, { detail: picture.view.detail, header, moments }) }
    : { ids, targets, ...tablePart(picture, { rows, ids, targets, header, moments }) };
}

/** The table of workers below the fleet's numbers. */
function tablePart(
  picture: Picture,
  { rows, ids, targets, header, moments }: {
    readonly rows: readonly Worker[];
    readonly ids: readonly string[];
    readonly targets: number;
    readonly header: readonly Line[];
    readonly moments: Moments;
  },
): Omit<Screen, "ids" | "targets"> {
  const { view, columns } = picture;
  const height = Math.max(0, picture.rows - header.length - 2);
  const { index, top } = windowOf(view, { ids, height });
  const target = targetOf(picture);
  const table = target === undefined
    ? []
    : tableLines(rows, { columns, aggregate: target.aggregate, top, height, index, ...moments, order: view });
  const empty = rows.length === 0 ? emptyLines(picture, target) : [];
  const last = Math.min(rows.length, top + height);
  const position = `${Math.min(top + 1, last)}-${last} of ${rows.length}`;
  const room = columns - position.length - 1;
  const help = view.isTyping ? typingLine(view.filter, room) : listHelp(view, targets, room);
  const bottom = spread(help, [{ text: position }], columns);
  return { height, detailEnd: 0, lines: filled([...header, ...table, ...empty], bottom, picture) };
}

/** One worker, or what became of workers, below where the fleet is seen. */
function detailPart(
  picture: Picture,
  { detail, header, moments }: {
    readonly detail: Detail;
    readonly header: readonly Line[];
    readonly moments: Moments;
  },
): Omit<Screen, "ids" | "targets"> {
  const { columns } = picture;
  const target = targetOf(picture);
  const body = detail.kind === "worker"
    ? workerLines(picture, { id: detail.id, target, moments })
    : target
    ? changesLines(target, { columns })
    : [];
  const height = Math.max(0, picture.rows - 3);
  const detailEnd = Math.max(0, body.length - height);
  const move = detailEnd > 0 ? [["↑↓", "move"] as const] : [];
  const help = helpLine([["q", "quit"], ["Esc", "back"], ...move], columns);
  const lines = [...header.slice(0, 2), ...body.slice(Math.min(detail.from, detailEnd))].slice(0, height + 2);
  return { height, detailEnd, lines: filled(lines, help, picture) };
}

/** One that is gone is among the changes, if that is remembered. */
function workerLines(
  { workerPast: past, columns }: Picture,
  { id, target, moments }: {
    readonly id: string;
    readonly target: Target | undefined;
    readonly moments: Moments;
  },
): readonly Line[] {
  const worker = target?.workers.find((worker) => worker.id === id);
  if (target && worker) return detailLines(worker, { target, past, ...moments, columns });
  const gone = target?.changes?.findLast((change) => change.id === id && change.kind === "gone");
  return [[{ text: `Worker ${id} is gone` }], ...gone ? [changeLine(gone, columns)] : []];
}

/** The workers of the view's target, filtered and in order. */
export function rowsOf(picture: Pick<Picture, "reading" | "view">): readonly Worker[] {
  return ordered(targetOf(picture)?.workers ?? [], picture.view);
}

function targetOf({ reading: { fleet }, view }: Pick<Picture, "reading" | "view">): Target | undefined {
  return fleet?.targets[view.target] ?? fleet?.targets[0];
}

/** Before anything is known. */
function waiting(picture: Picture): Screen {
  const { url, reading: { problem }, columns } = picture;
  const lines: Line[] = [
    [{ text: url === undefined ? "Looking for workers" : `Waiting for ${url}`, bold: true }],
    problem === undefined ? [] : fit([{ text: `Trying again: ${problem}`, color: "yellow" }], columns),
  ];
  const help = helpLine([["q", "quit"]], columns);
  return { ids: [], height: 0, targets: 0, detailEnd: 0, lines: filled(lines, help, picture) };
}

/** Exactly as many lines as there are rows, the last at the bottom; what is lost is grey below its first two lines. */
function filled(lines: readonly Line[], last: Line, { reading, columns, rows }: Picture): readonly Line[] {
  const room = Math.max(0, rows - 1);
  const above = Array.from({ length: room }, (_, n) => fit(lines[n] ?? [], columns));
  const shown = reading.isLost ? above.map((line, n) => n < 2 ? line : line.map(grey)) : above;
  return [...shown, fit(last, columns)].slice(-Math.max(1, rows));
}

function grey(span: Span): Span {
  return { ...span, color: "gray", bold: false };
}

/** Why there are no rows, and the cause or what to do. */
function emptyLines(
  { reading: { fleet }, view: { filter }, columns }: Picture,
  target: Target | undefined,
): Line[] {
  if (target?.workers.length && filter !== "") return [[{ text: `No worker has "${filter}"` }]];
  const nobody = target && fleet && troublesOf(fleet, target).find(({ code }) => code.startsWith("nobody_"));
  const hint = nobody?.hint;
  const lines = hint === undefined ? [] : wrapped(`${hint.charAt(0).toUpperCase()}${hint.slice(1)}`, columns);
  return [[{ text: "No workers" }], ...lines.map((text) => [{ text }])];
}

function typingLine(filter: string, room: number): Line {
  const line: Line = [{ text: "Filter: ", color: "cyan" }, { text: filter }, { text: " ", inverse: true }];
  return [...line, ...helpLine([["Enter", "keep"], ["Esc", "clear"]], room - widthOf(line))];
}

function listHelp({ sort, isReversed, filter }: View, targets: number, room: number): Line {
  return helpLine([
    ["q", "quit"],
    ["/", filter === "" ? "filter" : `"${filter}"`],
    ["s", `sort ${sort === "flight" ? "in flight" : sort}${arrow(sort, isReversed)}`],
    ["Enter", "open"],
    ...(targets > 1 ? [["Tab", "target"] as const] : []),
    ["c", "changes"],
    ["r", "reverse"],
    ["↑↓", "choose"],
  ], room);
}

/** As many keys as there is room for. */
function helpLine(keys: readonly (readonly [key: string, what: string])[], room: number): Line {
  const line: Span[] = [];
  for (const [key, what] of keys) {
    const spans: Line = [{ text: ` ${key}`, bold: true }, { text: ` ${what} ` }];
    if (widthOf([...line, ...spans]) > room) break;
    line.push(...spans);
  }
  return line;
}
