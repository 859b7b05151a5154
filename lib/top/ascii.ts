import { graphemes, widthOfText } from "./cells.ts";

/** What stands for a character where a terminal takes ASCII alone. Each is as wide as what it stands for. */
const ASCII: Readonly<Record<string, string>> = {
  ...Object.fromEntries([..."▏▎▍▌▋▊▉█"].map((char) => [char, "#"])),
  ...Object.fromEntries([..."▁▂▃▄▅▆▇"].map((char, n) => [char, "_.:-=+*"[n]!])),
  "·": ".",
  "–": "-",
  "…": "~",
  "▲": "^",
  "▼": "v",
  "↑": "^",
  "↓": "v",
};

/** The text in ASCII, as wide as it was; a `?` for each cell of what has nothing that stands for it. */
export function asciiText(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  return graphemes(text.replaceAll("± ", "+-")).map((part) => ASCII[part] ?? plainOf(part)).join("");
}

function plainOf(part: string): string {
  return /^[ -~]$/.test(part) ? part : "?".repeat(widthOfText(part));
}
