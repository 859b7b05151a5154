import { kvRatio, slotRatio } from "../view/worker_ratios.ts";
import { bar } from "./bar.ts";
import { STATE_COLORS } from "./columns.ts";
import type { HistoryAnswer, Target, Worker } from "../exposition/api_v1.ts";
import { printable } from "../view/printable.ts";
import { type Note, partialNote, workerNotes } from "../view/worker_notes.ts";
import { sparkOf } from "./header.ts";
import { type Color, fit, type Line, type Span, wrapped } from "./line.ts";
import { numberText, ofText, percentText, spanText, UNKNOWN } from "./numbers.ts";
import { seen } from "./order.ts";
import type { Moments } from "./source.ts";

export interface DetailOptions extends Moments {
  readonly target: Target;
  readonly past: HistoryAnswer | undefined;
  readonly columns: number;
}

const LABEL = 12;
const SPARK_FROM = 44;

/** All that is known of one worker. */
export function detailLines(
  worker: Worker,
  { target, past, nowMs, knownMs, columns }: DetailOptions,
): readonly Line[] {
  const { kv_blocks_used, kv_blocks_total, slots_active, slots_total } = worker;
  const cells = columns - SPARK_FROM;
  const spark = (name: string, max?: number): Span =>
    sparkOf(target, past, { name, cells, ...(max && { max }) });
  const { seenMs } = seen(worker);
  const partial = partialNote(worker);
  return [
    [
      { text: `Worker ${worker.id}  `, bold: true },
      { text: worker.state, color: STATE_COLORS[worker.state], bold: true },
    ],
    ...workerNotes(worker, knownMs).flatMap((note) => noteLines(note, columns)),
    fact("Last sign", seenMs === undefined ? UNKNOWN : `${spanText(nowMs - seenMs)} ago`),
    fact("Registered", worker.registered === undefined ? UNKNOWN : worker.registered ? "yes" : "no"),
    fact("Seen by", worker.channels.join(", ") || UNKNOWN),
    fact("Release", [worker.release, worker.service_version && `service ${worker.service_version}`]),
    fact("Load record", worker.load_shape),
    fact("Type", worker.worker_type),
    fact("Model", worker.model),
    ...partial === undefined ? [] : [[name("Numbers of"), { text: partial, color: "yellow" as const }]],
    [
      ...usage("KV", kvRatio(worker), ofText(kv_blocks_used, kv_blocks_total)),
      spark("kv_blocks_used", kv_blocks_total),
    ],
    [
      ...usage("Slots", slotRatio(worker), ofText(slots_active, slots_total)),
      spark("slots_active", slots_total),
    ],
    [...number("Waiting", numberText(worker.requests_waiting)), spark("requests_waiting")],
    number("In flight", numberText(worker.requests_in_flight)),
    [...number("Cache usage", percentText(worker.cache_usage).trim()), spark("cache_usage", 1)],
    number("Prefix hits", percentText(worker.prefix_hit).trim()),
    ...section("Rank", RANK_TITLES, worker.ranks, (rank) => [
      rank.silent ? `${rank.dp_rank}  silent` : String(rank.dp_rank),
      numberText(rank.kv_blocks_used),
      numberText(rank.requests_running),
      numberText(rank.requests_waiting),
      percentText(rank.cache_usage).trim(),
      percentText(rank.prefix_hit).trim(),
    ]),
    ...section("Router's estimate", ["rank", "blocks", "tokens"], worker.estimates, (estimate) => [
      estimate.router,
      String(estimate.dp_rank),
      numberText(estimate.active_decode_blocks),
      numberText(estimate.active_prefill_tokens),
    ]),
    ...section("Endpoint", ["requests", "errors", "seconds"], worker.endpoints, (endpoint) => [
      endpoint.name,
      numberText(endpoint.requests),
      numberText(endpoint.errors),
      numberText(endpoint.processing_seconds),
    ]),
  ];
}

const NOTE_COLORS: Readonly<Record<Note["tone"], Color | undefined>> = {
  bad: "red",
  warn: "yellow",
  plain: undefined,
};

function noteLines({ tone, text }: Note, columns: number): readonly Line[] {
  return wrapped(printable(text), columns).map((text) => [
    { text, color: NOTE_COLORS[tone], bold: tone === "bad" },
  ]);
}

function fact(label: string, values: string | undefined | readonly (string | undefined)[]): Line {
  const known = [values].flat().filter((value) => value !== undefined && value !== "");
  return [name(label), { text: known.length === 0 ? UNKNOWN : printable(known.join("  ")) }];
}

function number(label: string, text: string): Line {
  return [name(label), ...fit([{ text }], SPARK_FROM - LABEL)];
}

function usage(label: string, ratio: number | undefined, count: string): Line {
  const value = [...bar(ratio, 12), { text: `${percentText(ratio)}  ${count}` }];
  return [name(label), ...fit(value, SPARK_FROM - LABEL)];
}

function name(label: string): Span {
  return { text: label.padEnd(LABEL), color: "cyan" };
}

const RANK_TITLES = ["KV blocks", "running", "waiting", "cache", "hits"];

const CELL_WIDTH = 12;
/** How wide a table with few columns is; its first column takes what is left. */
const SECTION_WIDTH = 68;
const MIN_FIRST_WIDTH = 16;

/** A small table, its first column left, or nothing where there are no rows. */
function section<Row>(
  title: string,
  titles: readonly string[],
  rows: readonly Row[] | undefined,
  cellsOf: (row: Row) => readonly string[],
): readonly Line[] {
  if (rows === undefined || rows.length === 0) return [];
  const firstWidth = Math.max(MIN_FIRST_WIDTH, SECTION_WIDTH - titles.length * CELL_WIDTH);
  const line = ([first = "", ...others]: readonly string[]): Line => [
    ...fit([{ text: printable(first) }], firstWidth),
    { text: others.map((cell) => cell.padStart(CELL_WIDTH)).join("") },
  ];
  return [
    [],
    line([title, ...titles]).map((span) => ({ ...span, color: "cyan" as const })),
    ...rows.map((row) => line(cellsOf(row))),
  ];
}
