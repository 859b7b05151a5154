/** Where a number is not known. */
export const UNKNOWN = "–";

/** A whole number as it is, another to a digit or two. */
export function numberText(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1);
}

/** A number in at most five characters: 99999, 1234k, 12M. */
export function shortNumber(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  const steps = [["", 1], ["k", 1e3], ["M", 1e6], ["G", 1e9], ["T", 1e12]] as const;
  for (const [unit, factor] of steps) {
    const text = `${Math.round(value / factor)}${unit}`;
    if (text.length <= 5) return text;
  }
  return "lots";
}

/** A part of 1 in four characters: `  7%`. */
export function percentText(ratio: number | undefined): string {
  return (ratio === undefined ? UNKNOWN : `${Math.min(999, Math.round(ratio * 100))}%`).padStart(4);
}

/** Used and all; either may be unknown. */
export function ofText(used: number | undefined, total: number | undefined): string {
  return used === undefined && total === undefined ? UNKNOWN : `${numberText(used)}/${numberText(total)}`;
}

/** A time span in at most five characters: 0.4s, 12s, 3m, 5h, 2d. */
export function spanText(ms: number | undefined): string {
  if (ms === undefined) return UNKNOWN;
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  if (seconds < 120) return `${Math.round(seconds)}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** Used part of all; undefined where either is unknown, or there is nothing to use. */
export function ratioOf(used: number | undefined, total: number | undefined): number | undefined {
  return used === undefined || total === undefined || total === 0 ? undefined : used / total;
}

/** An id in at most nine characters, as the page shortens it. */
export function shortId(id: string): string {
  return id.length > 9 ? `…${id.slice(-6)}` : id;
}
