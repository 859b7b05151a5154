import { ageMs, ranksText } from "./columns.ts";
import type { Fleet, Target, Worker } from "../exposition/api_v1.ts";
import { printable } from "../view/printable.ts";
import { firstPassNote, silentRanksNote, stuckNote } from "../view/worker_notes.ts";
import { widthOfText } from "./cells.ts";
import { changesLines } from "./changes.ts";
import { headerLines } from "./header.ts";
import { plain } from "./line.ts";
import { numberText, ofText, percentText, spanText, UNKNOWN } from "./numbers.ts";
import { sumOf } from "../view/order.ts";
import { type Moments, momentsOf, type Reading } from "./source.ts";

/** A column's title, what a worker has in it, and whether the column is left out if no worker has anything in it. */
type PlainColumn = readonly [
  title: string,
  cell: (worker: Worker, moments: Moments) => string | undefined,
  isOptional?: true,
];

const COLUMNS: readonly PlainColumn[] = [
  ["WORKER", ({ id }) => id],
  ["STATE", ({ state }) => state],
  ["RANKS", ranksText, true],
  ["KV", (worker) => ofText(worker.kv_blocks_used, worker.kv_blocks_total)],
  ["SLOTS", (worker) => ofText(worker.slots_active, worker.slots_total)],
  ["WAITING", ({ requests_waiting }) => numberText(requests_waiting)],
  ["INFLIGHT", ({ requests_in_flight: count }) => count === undefined ? undefined : numberText(count), true],
  ["CACHE", ({ cache_usage }) => percentText(cache_usage).trim()],
  ["HITS", ({ prefix_hit }) => percentText(prefix_hit).trim()],
  ["AGE", (worker, { nowMs }) => spanText(ageMs(worker, nowMs))],
  ["REQUESTS", (worker) => numberText(sumOf(worker, "requests"))],
  ["ERRORS", (worker) => numberText(sumOf(worker, "errors"))],
  ["TYPE", ({ worker_type }) => worker_type],
  ["RELEASE", ({ release }) => release],
  ["MODEL", ({ model }) => model],
  ["NOTE", noteOf, true],
];

/** How wide all but the table is. */
const WIDTH = 80;
const MAX_CHANGES = 10;
const MAX_FINDINGS = 10;

/** What is known now, as text for people and pipes: for each target its numbers, then a table of its workers. */
export function plainText(
  fleet: Fleet,
  { reading, url }: { readonly reading: Reading; readonly url: string | undefined },
): string {
  const moments = momentsOf(fleet, reading);
  const options = { reading, url, past: undefined, columns: WIDTH, isShort: false, ...moments };
  const parts = fleet.targets.map((shown, target) => [
    ...headerLines(fleet, { ...options, target }).map(plain),
    "",
    ...aligned(tableOf(shown.workers, moments)),
    ...lastChangesOf(shown),
  ]);
  return [...parts, ...findingsOf(fleet)].map((lines) => `${lines.join("\n")}\n`).join("\n");
}

/** What is wrong, each with its code and what is known of the cause or what to do; nothing if all is well. */
function findingsOf({ findings = [], findings_more: left = 0 }: Fleet): readonly (readonly string[])[] {
  if (findings.length === 0) return [];
  const shown = findings.slice(0, MAX_FINDINGS);
  const more = findings.length - shown.length + left;
  const rows = shown.map(({ severity, code, text, hint }) =>
    [severity, code, `${text}. ${hint}`].map(printable)
  );
  return [[
    ...aligned([["SEVERITY", "FINDING", "WHAT"], ...rows]),
    ...more > 0 ? [`… and ${more} more`] : [],
  ]];
}

/** The last changes below the table, if there are any. */
function lastChangesOf(target: Target): readonly string[] {
  const { changes = [] } = target;
  if (changes.length === 0) return [];
  const last = { ...target, changes: changes.slice(-MAX_CHANGES) };
  return ["", ...changesLines(last, { columns: WIDTH }).map(plain)];
}

/** The titles, then a row for each worker. */
function tableOf(workers: readonly Worker[], moments: Moments): readonly (readonly string[])[] {
  const columns = COLUMNS.filter(([, cell, isOptional]) =>
    !isOptional || workers.some((worker) => cell(worker, moments) !== undefined)
  );
  return [
    columns.map(([title]) => title),
    ...workers.map((worker) => columns.map(([, cell]) => printable(cell(worker, moments) ?? UNKNOWN))),
  ];
}

/** What a state and numbers do not say. */
function noteOf(worker: Worker, { knownMs }: Moments): string | undefined {
  const notes = [stuckNote(worker, knownMs), silentRanksNote(worker), firstPassNote(worker)];
  return notes.filter((note) => note !== undefined).join("; ") || undefined;
}

/** Each column as wide as its widest cell. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, n) =>
    rows.reduce((width, row) => Math.max(width, widthOfText(row[n]!)), 0)
  );
  const cellOf = (text: string, n: number) => text + " ".repeat(widths[n]! - widthOfText(text));
  return rows.map((row) => row.map(cellOf).join("  ").trimEnd());
}
