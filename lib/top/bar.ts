import type { Color, Line } from "./line.ts";

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** From where a utilisation is shown as high, and as critical. */
const HIGH = 0.7;
const CRITICAL = 0.9;

/** A bar of `width` cells, filled to a part of 1, to an eighth of a cell; the rest is dotted. */
export function bar(ratio: number | undefined, width: number): Line {
  if (ratio === undefined) return [{ text: " ".repeat(width) }];
  const eighths = Math.round(Math.min(1, Math.max(0, ratio)) * width * 8);
  // What is in use at all is seen.
  const filled = ratio > 0 ? Math.max(1, eighths) : 0;
  const text = "█".repeat(Math.floor(filled / 8)) + EIGHTHS[filled % 8]!;
  return [
    { text, color: utilisationColor(ratio) },
    { text: "·".repeat(width - text.length), color: "gray" },
  ];
}

export function utilisationColor(ratio: number): Color {
  return ratio >= CRITICAL ? "red" : ratio >= HIGH ? "yellow" : "green";
}
