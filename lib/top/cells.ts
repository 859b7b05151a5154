import stringWidth from "string-width";

/** How many cells of a terminal a text takes: two for each wide character, none for a mark on another. */
export function widthOfText(text: string): number {
  return isNarrow(text) ? text.length : stringWidth(text);
}

/** As much of the text as a width has room for, in whole characters; where half of one is left over, it is a space. */
export function cutText(text: string, width: number): string {
  if (isNarrow(text)) return text.slice(0, width);
  let cut = "";
  let left = width;
  for (const part of graphemes(text)) {
    const cells = widthOfText(part);
    if (cells > left) return cut + " ".repeat(left);
    cut += part;
    left -= cells;
  }
  return cut;
}

/** What is seen as one character each. */
export function graphemes(text: string): string[] {
  return [...SEGMENTER.segment(text)].map(({ segment }) => segment);
}

const SEGMENTER = new Intl.Segmenter();

/** Of characters that take a cell each, as all that we write ourselves: to measure such text costs nothing. */
function isNarrow(text: string): boolean {
  return /^[ -~·±–…▁-▏▲▼↑↓]*$/.test(text);
}
