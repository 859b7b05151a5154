import type { Target, WorkerChange } from "../exposition/api_v1.ts";
import { changeReason, changeWord } from "../view/change_notes.ts";
import { shortId } from "../view/printable.ts";
import { type Color, fit, type Line } from "./line.ts";

const COLORS: Readonly<Record<ReturnType<typeof changeWord>, Color | undefined>> = {
  new: undefined,
  silent: "red",
  back: "green",
  restarted: "yellow",
  lost: "red",
  left: undefined,
  gone: undefined,
};

/** From this width on a worker's whole id is shown. */
const WIDE = 80;

/** What became of workers lately, the newest first. */
export function changesLines(
  { changes = [], changes_since }: Target,
  { columns }: { readonly columns: number },
): readonly Line[] {
  const since = changes_since === undefined ? "" : ` since ${timeText(changes_since)}`;
  const title = fit([{ text: `Changes${since}`, bold: true }], columns);
  if (changes.length === 0) return [title, [{ text: "None." }]];
  return [title, ...changes.toReversed().map((change) => changeLine(change, columns))];
}

/** When, who, what, and how that is known. */
export function changeLine(change: WorkerChange, columns: number): Line {
  const word = changeWord(change);
  const name = columns >= WIDE ? change.id.padEnd(20) : shortId(change.id).padEnd(8);
  return fit([
    { text: `${timeText(change.at)}  ${name}  ` },
    { text: word.padEnd(10), color: COLORS[word], bold: word === "lost" },
    { text: changeReason(change), color: "gray" },
  ], columns);
}

/** `16:22:03`, by the reader's clock. */
function timeText(time: string): string {
  return new Date(time).toLocaleTimeString("en-GB");
}
