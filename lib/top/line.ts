import { cutText, graphemes, widthOfText } from "./cells.ts";

export type Color = "green" | "yellow" | "red" | "cyan" | "gray";

/** A piece of a line, all in one style. Colour never says anything alone. */
export interface Span {
  readonly text: string;
  readonly color?: Color | undefined;
  readonly bold?: boolean;
  readonly inverse?: boolean;
}

/** One line of the screen. */
export type Line = readonly Span[];

/** How many cells a line takes. */
export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOfText(text), 0);
}

/** The line cut or filled up to a width. */
export function fit(line: Line, width: number): Line {
  const spans: Span[] = [];
  let left = width;
  for (const span of line) {
    if (left === 0) break;
    const cells = widthOfText(span.text);
    spans.push(cells <= left ? span : { ...span, text: cutText(span.text, left) });
    left -= Math.min(cells, left);
  }
  return left === 0 ? spans : [...spans, { text: " ".repeat(left) }];
}

/** Two lines in one, the second at the right end; the first gives way. */
export function spread(left: Line, right: Line, width: number): Line {
  const room = width - widthOf(right) - 1;
  return room < 0 ? fit(left, width) : [...fit(left, room), { text: " " }, ...right];
}

/** Text in lines of at most `width` cells, between words where that is possible. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while (widthOfText(rest) > width) {
    const head = cutText(rest, width + 1);
    const space = head.lastIndexOf(" ");
    const line = space > 0 ? rest.slice(0, space) : beginning(rest, width);
    lines.push(line);
    rest = rest.slice(line.length).trimStart();
  }
  return rest === "" && lines.length > 0 ? lines : [...lines, rest];
}

/** As much of a text as a width has room for, one character at least. */
function beginning(text: string, width: number): string {
  return cutText(text, width).trimEnd() || graphemes(text)[0]!;
}

/** A line as plain text. */
export function plain(line: Line): string {
  return line.map(({ text }) => text).join("").trimEnd();
}

/** Text from outside, as the page shows it. */
export { printable } from "../exposition/printable.ts";
