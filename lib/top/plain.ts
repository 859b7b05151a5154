import type { Fleet, Target, Worker } from "../exposition/api_v1.ts";
import { type Cell, PLAIN_COLUMNS, wanted } from "../view/columns.ts";
import { printable } from "../view/printable.ts";
import { widthOfText } from "./cells.ts";
import { changesLines } from "./changes.ts";
import { headerLines } from "./header.ts";
import { plain } from "./line.ts";
import { numberText, ofText, percentText, spanText, UNKNOWN } from "./numbers.ts";
import { seen } from "./order.ts";
import { type Moments, momentsOf, type Reading } from "./source.ts";

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
    ...aligned(tableOf(shown, moments)),
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
function tableOf({ workers, aggregate }: Target, moments: Moments): readonly (readonly string[])[] {
  const columns = wanted(PLAIN_COLUMNS, { aggregate, workers: () => workers });
  return [
    columns.map(({ plain }) => plain),
    ...workers.map((worker) =>
      columns.map(({ cell }) => printable(textOf(cell(seen(worker), moments.knownMs), worker, moments)))
    ),
  ];
}

function textOf(cell: Cell, { state }: Worker, { nowMs }: Moments): string {
  switch (cell.kind) {
    case "id":
    case "text":
    case "ranks":
      return cell.text ?? UNKNOWN;
    case "condition":
      return state;
    case "pair":
      return ofText(cell.used, cell.total);
    case "count":
      return numberText(cell.count);
    case "ratio":
    case "share":
      return percentText(cell.ratio).trim();
    case "age":
      return spanText(cell.seenMs === undefined ? undefined : nowMs - cell.seenMs);
  }
}

/** Each column as wide as its widest cell. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, n) =>
    rows.reduce((width, row) => Math.max(width, widthOfText(row[n]!)), 0)
  );
  const cellOf = (text: string, n: number) => text + " ".repeat(widths[n]! - widthOfText(text));
  return rows.map((row) => row.map(cellOf).join("  ").trimEnd());
}
