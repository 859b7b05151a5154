import type { Losses } from "../exposition/api_v1.ts";
import { lossAgo } from "../view/change_notes.ts";
import { printable, shortId } from "../view/printable.ts";
import { aboutWorker, type Trouble } from "../view/verdict.ts";
import { fit, type Line, type Span, widthOf } from "./line.ts";
import { spanText } from "./numbers.ts";

/** How many kinds of trouble have a line each, where there is room. */
const MAX_LINES = 3;
/** How many workers are named of a kind. */
const NAMED = 2;

export interface TroubleOptions {
  readonly losses: Losses | undefined;
  readonly columns: number;
  /** There is room for one line only. */
  readonly isShort: boolean;
  readonly knownMs: number;
}

/** What is wrong, worst first, each with its code. What is only good to know is left to the list of findings. */
export function troubleLines(all: readonly Trouble[], options: TroubleOptions): readonly Line[] {
  const { columns, isShort } = options;
  const troubles = all.filter(({ severity }) => severity !== "info");
  const shown = troubles.slice(0, isShort ? 1 : MAX_LINES);
  const rest = troubles.slice(shown.length);
  const more = rest.length > 0 ? `  and ${rest.length} more` : "";
  return shown.map((trouble, n) => {
    const isLast = n === shown.length - 1;
    const code: Span = { text: `  ${trouble.code}${isLast ? more : ""}`, color: "gray" };
    const what: Span = {
      text: textOf(trouble, options),
      color: trouble.severity === "error" ? "red" : "yellow",
      bold: trouble.severity === "error",
    };
    const room = columns - code.text.length;
    if (widthOf([what, code]) <= columns) return [what, code];
    return room < MIN_TEXT ? fit([what], columns) : [...fit([what], room - 1), { text: "…" }, code];
  });
}

/** Where there is less room for the text the code gives way. */
const MIN_TEXT = 40;

function textOf(trouble: Trouble, { losses, knownMs }: TroubleOptions): string {
  const { code, count, line, findings, hint } = trouble;
  const named = findings.filter(({ worker }) => worker !== undefined);
  if (code === "worker_lost" && losses !== undefined) {
    return `${line}${lossAgo(losses, knownMs)} (${namesOf(losses.ids, losses.workers)})`;
  }
  if (named.length === 0) return findings.length === 0 ? line : `${line}: ${hint}`;
  if (count > 1) return `${line}: ${namesOf(named.map(({ worker }) => worker!), count)}`;
  const [{ worker, since }] = named as [typeof named[number]];
  const seen = code === "worker_silent" && since !== undefined
    ? `, last seen ${spanText(knownMs - Date.parse(since))} ago`
    : "";
  return `Worker ${printable(shortId(worker!))} ${aboutWorker(named[0]!)}${seen}`;
}

/** `…000250`, `…000250, …000251, 2 more` */
function namesOf(ids: readonly string[], count: number): string {
  const named = ids.slice(0, NAMED).map((id) => printable(shortId(id)));
  return [...named, ...(count > named.length ? [`${count - named.length} more`] : [])].join(", ");
}
