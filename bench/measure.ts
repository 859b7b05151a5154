/** What one measurement is of: its unit decides how it is written. */
export type Unit = "ms" | "s" | "%" | "MiB" | "ratio" | "per second" | "count" | "bytes";

/** One quantity that a row measured, all its repeats. */
export interface Measure {
  /** Where goals, comparisons and documents find it: `row/what`. */
  readonly name: string;
  readonly unit: Unit;
  /** Empty where it could not be measured. */
  readonly values: readonly number[];
  /** Why there are no values. */
  readonly missing?: string;
}

/** What a row gives. */
export interface RowResult {
  readonly measures: readonly Measure[];
  /** Which part of a core each program took while it was measured, in percent: they share the machine's cores. */
  readonly cpu: Readonly<Record<string, number>>;
  /** What a reader should know beside the numbers. */
  readonly remarks: readonly string[];
  /** Where the program's time went, for whoever is to make it less: `profileText`. */
  readonly profile?: readonly string[];
}

/** The middle value; the mean of the two in the middle of an even number. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The values of the first over those of the second, repeat by repeat: each pair was measured side by side. */
export function ratios(values: readonly number[], over: readonly number[]): number[] {
  return values.map((value, n) => value / over[n]!);
}

/** A number as people read it: three digits that count, and its unit. */
export function valueText(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return "–";
  const number = numberText(value);
  switch (unit) {
    case "ratio":
      return `${number} ×`;
    case "per second":
      return `${number}/s`;
    case "count":
      return grouped(String(value));
    case "%": // Near 100 the digits behind the point are what counts.
      return `${value.toFixed(value > 99 ? 2 : 1)} %`;
    default:
      return `${number} ${unit}`;
  }
}

function numberText(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return grouped(value.toFixed(Math.min(2, digits)));
}

function grouped(text: string): string {
  return text.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
}
