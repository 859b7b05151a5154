import type { ReadValue } from "./usage.ts";

export const INTERVAL_RULE = "a number of seconds from 0.1 to 86400";

/** Reads seconds, with fractions, of a range in milliseconds. */
export function milliseconds(range: { readonly min: number; readonly max: number }): ReadValue<number> {
  return (text) => {
    const ms = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Math.round(Number(text) * 1_000) : NaN;
    return ms >= range.min && ms <= range.max ? ms : undefined;
  };
}

export const intervalMs = milliseconds({ min: 100, max: 86_400_000 });
