import { ageMs } from "./columns.ts";
import type { Fleet, Worker } from "../exposition/api_v1.ts";
import { headerLines } from "./header.ts";
import { plain, printable } from "./line.ts";
import { numberText, ofText, percentText, spanText } from "./numbers.ts";
import { sumOf } from "./order.ts";
import type { Reading } from "./source.ts";

/** A column's title and what a worker has in it. */
type PlainColumn = readonly [title: string, cell: (worker: Worker, nowMs: number) => string | undefined];

const COLUMNS: readonly PlainColumn[] = [
  ["WORKER", ({ id }) => id],
  ["STATE", ({ state }) => state],
  ["KV", (worker) => ofText(worker.kv_blocks_used, worker.kv_blocks_total)],
  ["SLOTS", (worker) => ofText(worker.slots_active, worker.slots_total)],
  ["WAITING", ({ requests_waiting }) => numberText(requests_waiting)],
  ["CACHE", ({ cache_usage }) => percentText(cache_usage).trim()],
  ["HITS", ({ prefix_hit }) => percentText(prefix_hit).trim()],
  ["AGE", (worker, nowMs) => spanText(ageMs(worker, nowMs))],
  ["REQUESTS", (worker) => numberText(sumOf(worker, "requests"))],
  ["ERRORS", (worker) => numberText(sumOf(worker, "errors"))],
  ["TYPE", ({ worker_type }) => worker_type],
  ["RELEASE", ({ release }) => release],
  ["MODEL", ({ model }) => model],
];

/** What is known now, as text for people and pipes: for each target its numbers, then a table of its workers. */
export function plainText(
  fleet: Fleet,
  { reading, url }: { readonly reading: Reading; readonly url: string | undefined },
): string {
  const nowMs = Date.parse(fleet.at) + reading.ageMs;
  const options = { reading, url, past: undefined, columns: 80, isShort: false };
  const parts = fleet.targets.map(({ workers }, target) => [
    ...headerLines(fleet, { ...options, target }).map(plain),
    "",
    ...aligned([
      COLUMNS.map(([title]) => title),
      ...workers.map((worker) => COLUMNS.map(([, cell]) => printable(cell(worker, nowMs) ?? "–"))),
    ]),
  ]);
  return parts.map((lines) => `${lines.join("\n")}\n`).join("\n");
}

/** Each column as wide as its widest cell. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, n) => rows.reduce((width, row) => Math.max(width, row[n]!.length), 0));
  return rows.map((row) => row.map((cell, n) => cell.padEnd(widths[n]!)).join("  ").trimEnd());
}
