/** How numbers and times are written. What is not known is an en dash. */
import type { State } from "../lib/exposition/api_v1.ts";

export const UNKNOWN = "–";

export const STATE_WORDS: Readonly<Record<State, string>> = {
  responding: "responding",
  discovered: "discovered",
  no_data: "no data",
  undecodable: "undecodable",
  silent: "silent",
};

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Three digits that matter: `86.7`, `1,204`, `0.42`. */
export function numberText(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 100) return whole.format(value);
  return value.toFixed(size >= 10 ? 1 : 2);
}

const compact = new Intl.NumberFormat("en", { notation: "compact" });

/** On a scale, where there is little room: `500K`. */
export function markText(value: number): string | undefined {
  return Math.abs(value) >= 10_000 ? compact.format(value) : undefined;
}

/** Of a ratio: `43 %`. Only what is all or nothing is called 100 % or 0 %. */
export function percentText(ratio: number | undefined): string {
  if (ratio === undefined) return UNKNOWN;
  const percent = Math.round(ratio * 100);
  if (percent === 0 && ratio > 0) return "<1 %";
  if (percent === 100 && ratio < 1) return "99 %";
  return `${percent} %`;
}

/** Of a length of time: `0`, `3 ms`, `0.8 s`, `12 s`, `4 min`, `3 h`, `2 d`. */
export function durationText(seconds: number | undefined): string {
  if (seconds === undefined) return UNKNOWN;
  if (seconds === 0) return "0";
  if (seconds < 0.1) return `${Math.max(1, Math.round(seconds * 1_000))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return ageText(seconds);
}

/** Of an age, which is looked at once a second: `now`, `12 s`, `4 min`, `3 h`, `2 d`. */
export function ageText(seconds: number | undefined): string {
  if (seconds === undefined) return UNKNOWN;
  if (seconds < 1) return "now";
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `now`, or `12 s ago`. */
export function agoText(seconds: number): string {
  return seconds < 1 ? "now" : `${ageText(seconds)} ago`;
}

/** Of a moment: `16:22:03`, by the reader's clock. */
export function timeText(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB");
}

export function counted(count: number, noun: string): string {
  return `${whole.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}
