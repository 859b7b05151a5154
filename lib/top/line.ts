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

/** One cell for each code point: what is shown is made of narrow characters, but for names from outside at a line's end. */
export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + [...text].length, 0);
}

/** The line cut or filled up to a width. */
export function fit(line: Line, width: number): Line {
  const spans: Span[] = [];
  let left = width;
  for (const span of line) {
    if (left === 0) break;
    const chars = [...span.text];
    spans.push(chars.length <= left ? span : { ...span, text: chars.slice(0, left).join("") });
    left -= Math.min(chars.length, left);
  }
  return left === 0 ? spans : [...spans, { text: " ".repeat(left) }];
}

/** Two lines in one, the second at the right end; the first gives way. */
export function spread(left: Line, right: Line, width: number): Line {
  const room = width - widthOf(right) - 1;
  return room < 0 ? fit(left, width) : [...fit(left, room), { text: " " }, ...right];
}

/** Text in lines of at most `width` characters, between words where that is possible. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while ([...rest].length > width) {
    const head = [...rest].slice(0, width + 1).join("");
    const space = head.lastIndexOf(" ");
    const line = space > 0 ? head.slice(0, space) : [...rest].slice(0, Math.max(1, width)).join("");
    lines.push(line);
    rest = rest.slice(line.length).trimStart();
  }
  return [...lines, rest];
}

/** A line as plain text. */
export function plain(line: Line): string {
  return line.map(({ text }) => text).join("").trimEnd();
}

/** Text from outside, as the page shows it. */
export { printable } from "../exposition/printable.ts";
