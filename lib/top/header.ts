import { bar } from "./bar.ts";
import { STATE_COLORS } from "./columns.ts";
import type { Aggregate, Fleet, HistoryAnswer, State, Target } from "../exposition/api_v1.ts";
import { serversOf } from "../view/connections.ts";
import { printable } from "../view/printable.ts";
import { ratioOf } from "../view/ratio.ts";
import { troublesOf } from "../view/verdict.ts";
import { pathOf } from "../view/fleet_view.ts";
import { fit, type Line, type Span, spread, widthOf } from "./line.ts";
import { numberText, ofText, percentText, spanText, UNKNOWN } from "./numbers.ts";
import type { Reading } from "./source.ts";
import { CELL_SECONDS, sparkline } from "./sparkline.ts";
import { troubleLines } from "./trouble_lines.ts";

export interface HeaderOptions {
  readonly reading: Reading;
  readonly url: string | undefined;
  /** Which of the fleet's targets. */
  readonly target: number;
  readonly past: HistoryAnswer | undefined;
  readonly columns: number;
  /** The load alone of all the numbers: there is no room. */
  readonly isShort: boolean;
  /** Until when it is known how things are, in milliseconds of the server's clock. */
  readonly knownMs: number;
}

/** Where the sparklines begin, and the most that a past of fifteen minutes fills. */
const SPARK_FROM = 44;
const MAX_CELLS = 90;

/** What a fleet is together: two lines of where it is seen, one of who is there, some of what is wrong, and of numbers. */
export function headerLines(fleet: Fleet, options: HeaderOptions): readonly Line[] {
  const { columns, isShort, target: position } = options;
  const target = fleet.targets[position] ?? fleet.targets[0];
  if (target === undefined) return [titleLine(fleet, target, options), statusLine(fleet, target, options)];
  const { aggregate } = target;
  const cells = Math.min(MAX_CELLS, columns - SPARK_FROM);
  const minutes: Line = cells > 0 && options.past
    ? [{ text: `last ${Math.round(cells * CELL_SECONDS / 60)} min`, color: "gray" }]
    : [];
  const spark = (name: string, max?: number) =>
    sparkOf(target, options.past, { name, cells, ...(max && { max }) });
  return [
    titleLine(fleet, target, options),
    statusLine(fleet, target, options),
    workersLine(target, { minutes, columns }),
    ...troubleLines(troublesOf(fleet, target), { losses: target.losses, ...options }),
    ...numberLines(aggregate, spark).slice(0, isShort ? 1 : undefined),
  ];
}

function numberLines(
  {
    kv_utilisation,
    kv_blocks_used,
    kv_blocks_total,
    slot_utilisation,
    slots_active,
    slots_total,
    ...others
  }: Omit<Aggregate, "workers">,
  spark: (name: string, max?: number) => Span,
): readonly Line[] {
  const blocks = ofText(kv_blocks_used, kv_blocks_total);
  const slots = ofText(slots_active, slots_total);
  return [
    [...usageLine("KV", kv_utilisation, blocks), spark("kv_utilisation", 1)],
    [...usageLine("Slots", slot_utilisation, slots), spark("slot_utilisation", 1)],
    [...labelled("Load", loadText(others)), spark("load_avg")],
    [...labelled("Waiting", waitingText(others)), spark("requests_waiting")],
    ...others.requests_in_flight === undefined
      ? []
      : [labelled("Hit rate", [{ text: ` ${hitRateText(others.hit_rate)}` }])],
  ];
}

function apart(spans: Line): Line {
  return spans.flatMap((span, n) => n === 0 ? [span] : [{ text: "  " }, span]);
}

function titleLine(
  fleet: Fleet,
  target: Target | undefined,
  { reading, url, columns, target: n }: HeaderOptions,
): Line {
  const { targets, seq } = fleet;
  const which = targets.length > 1 ? ` (${n + 1} of ${targets.length})` : "";
  const name = target ? printable(pathOf(target)) : "no target";
  const age = spanText(reading.ageMs);
  const told: Span = reading.isLost
    ? { text: `LOST, last told ${age} ago`, color: "red", bold: true }
    : { text: `seq ${seq}, ${age} ago` };
  const title: Span = { text: name + which, bold: true };
  const from: Span = { text: url === undefined ? "" : `  ${url}`, color: "gray" };
  const isRoom = widthOf([title, from, told]) < columns;
  return spread(isRoom ? [title, from] : [title], [told], columns);
}

/** What is connected and how the last round went; or why there is nothing to say. */
function statusLine(
  fleet: Fleet,
  target: Target | undefined,
  { reading, columns }: HeaderOptions,
): Line {
  if (reading.isLost) {
    return fit([{ text: `Trying again: ${reading.problem}`, color: "red" }], columns);
  }
  const spans: Span[] = [];
  for (const { name, connected, isMissed } of serversOf(fleet)) {
    if (connected || isMissed) spans.push(connection(name, connected));
  }
  const round = target?.aggregate.round;
  if (round?.failed) spans.push({ text: "round failed", color: "red" });
  else if (round) {
    spans.push({ text: `round ${Math.round(round.seconds * 1_000)} ms, ${round.answered} answered` });
  }
  const problem = reading.problem === undefined ? [] : [{ text: reading.problem, color: "yellow" as const }];
  return fit(apart([...spans, ...problem]), columns);
}

function connection(name: string, connected: boolean): Span {
  return connected ? { text: `${name} connected` } : { text: `${name} away`, color: "red", bold: true };
}

const STATES: readonly State[] = ["responding", "silent", "undecodable", "no_data", "discovered"];

/** Who is there by state; where there is no room for all, the silent come first. */
function workersLine(
  { aggregate: { workers: counts } }: Target,
  { minutes, columns }: { readonly minutes: Line; readonly columns: number },
): Line {
  const spansOf = (states: readonly State[]) =>
    states.filter((state) => counts[state] > 0).flatMap((state): Span[] => [
      { text: "  " },
      { text: `${counts[state]} ${state}`, color: STATE_COLORS[state], bold: state === "silent" },
    ]);
  const all = STATES.reduce((sum, state) => sum + counts[state], 0);
  const head: Line = [{ text: "Workers ", color: "cyan" }, { text: String(all) }];
  const line = [...head, ...spansOf(STATES)];
  if (widthOf(line) > columns) return fit([...head, ...spansOf(SILENT_FIRST)], columns);
  const isRoom = widthOf(line) + widthOf(minutes) < columns;
  return isRoom ? spread(line, minutes, columns) : line;
}

const SILENT_FIRST: readonly State[] = ["silent", ...STATES.filter((state) => state !== "silent")];

function usageLine(label: string, ratio: number | undefined, count: string): Line {
  return labelled(label, [...bar(ratio, 12), { text: `${percentText(ratio)}  ${count}` }]);
}

function labelled(label: string, value: Line): Line {
  return [{ text: label.padEnd(8), color: "cyan" }, ...fit(value, SPARK_FROM - 8)];
}

function loadText({ load_avg, load_std }: Pick<Aggregate, "load_avg" | "load_std">): Line {
  const text = load_avg === undefined
    ? UNKNOWN
    : `${numberText(load_avg)} ± ${numberText(load_std)} blocks a worker`;
  return [{ text }];
}

/** Beside the waiting requests stand those in flight where these are known, else the hit rate. */
function waitingText(
  { requests_waiting, requests_in_flight, hit_rate }: Omit<Aggregate, "workers">,
): Line {
  const waiting: Span = { text: numberText(requests_waiting).padEnd(7) };
  const label = (text: string): Span => ({ text: ` ${text} `, color: "cyan" });
  return requests_in_flight === undefined
    ? [waiting, label("Hit rate"), { text: hitRateText(hit_rate) }]
    : [waiting, label("In flight"), { text: numberText(requests_in_flight) }];
}

function hitRateText(hitRate: Aggregate["hit_rate"]): string {
  const hit = hitRate && ratioOf(hitRate.overlap_blocks, hitRate.isl_blocks);
  return hit === undefined ? UNKNOWN : `${percentText(hit).trim()} since start`;
}

/** The last minutes of a series of a target, or of the worker whose past it is. */
export function sparkOf(
  target: Target,
  past: HistoryAnswer | undefined,
  { name, cells, max }: { readonly name: string; readonly cells: number; readonly max?: number },
): Span {
  const found = past?.targets.find((other) => pathOf(other) === pathOf(target));
  const values = found?.series[name];
  if (past === undefined || values === undefined || cells <= 0) return { text: "" };
  const stepSeconds = past.step_seconds;
  return { text: sparkline(values, { width: cells, stepSeconds, ...(max && { max }) }), color: "cyan" };
}
