import { bar } from "./bar.ts";
import { ageMs, STATE_COLORS } from "./columns.ts";
import type { HistoryAnswer, Target, Worker } from "../exposition/api_v1.ts";
import { sparkOf } from "./header.ts";
import { fit, type Line, printable, type Span } from "./line.ts";
import { numberText, ofText, percentText, ratioOf, spanText, UNKNOWN } from "./numbers.ts";

export interface DetailOptions {
  readonly target: Target;
  readonly past: HistoryAnswer | undefined;
  readonly nowMs: number;
  readonly columns: number;
}

const LABEL = 12;
const SPARK_FROM = 44;

/** All that is known of one worker. */
export function detailLines(
  worker: Worker,
  { target, past, nowMs, columns }: DetailOptions,
): readonly Line[] {
  const { kv_blocks_used, kv_blocks_total, slots_active, slots_total } = worker;
  const cells = columns - SPARK_FROM;
  const spark = (name: string, max?: number): Span =>
    sparkOf(target, past, { name, cells, ...(max && { max }) });
  const age = ageMs(worker, nowMs);
  return [
    [
      { text: `Worker ${worker.id}  `, bold: true },
      { text: worker.state, color: STATE_COLORS[worker.state], bold: true },
    ],
    fact("Last sign", age === undefined ? UNKNOWN : `${spanText(age)} ago`),
    fact("Registered", worker.registered === undefined ? UNKNOWN : worker.registered ? "yes" : "no"),
    fact("Seen by", worker.channels.join(", ") || UNKNOWN),
    fact("Release", [worker.release, worker.service_version && `service ${worker.service_version}`]),
    fact("Load record", worker.load_shape),
    fact("Type", worker.worker_type),
    fact("Model", worker.model),
    [
      ...usage("KV", ratioOf(kv_blocks_used, kv_blocks_total), ofText(kv_blocks_used, kv_blocks_total)),
      spark("kv_blocks_used", kv_blocks_total),
    ],
    [
      ...usage("Slots", ratioOf(slots_active, slots_total), ofText(slots_active, slots_total)),
      spark("slots_active", slots_total),
    ],
    [...number("Waiting", numberText(worker.requests_waiting)), spark("requests_waiting")],
    [...number("Cache usage", percentText(worker.cache_usage).trim()), spark("cache_usage", 1)],
    number("Prefix hits", percentText(worker.prefix_hit).trim()),
    ...section("Rank", ["KV blocks", "running", "waiting"], worker.ranks, (rank) => [
      String(rank.dp_rank),
      numberText(rank.kv_blocks_used),
      numberText(rank.requests_running),
      numberText(rank.requests_waiting),
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

const FIRST_WIDTH = 32;
const CELL_WIDTH = 12;

/** A small table, its first column left, or nothing where there are no rows. */
function section<Row>(
  title: string,
  titles: readonly string[],
  rows: readonly Row[] | undefined,
  cellsOf: (row: Row) => readonly string[],
): readonly Line[] {
  if (rows === undefined || rows.length === 0) return [];
  const line = ([first = "", ...others]: readonly string[]): Line => [
    ...fit([{ text: printable(first) }], FIRST_WIDTH),
    { text: others.map((cell) => cell.padStart(CELL_WIDTH)).join("") },
  ];
  return [
    [],
    line([title, ...titles]).map((span) => ({ ...span, color: "cyan" as const })),
    ...rows.map((row) => line(cellsOf(row))),
  ];
}
