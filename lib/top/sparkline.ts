const LEVELS = [..."▁▂▃▄▅▆▇█"];

/** What one cell stands for. */
export const CELL_SECONDS = 10;

export interface SparklineOptions {
  /** Cells. */
  readonly width: number;
  readonly stepSeconds: number;
  /** What the highest bar stands for; the largest value when left out. */
  readonly max?: number;
}

/**
 * The end of a series, the newest at the right: each cell is the mean of ten seconds (or one step, if that is longer), a
 * space where nothing was known.
 */
export function sparkline(
  values: readonly (number | null)[],
  { width, stepSeconds, max }: SparklineOptions,
): string {
  const means = cells(values, { width, perCell: Math.max(1, Math.round(CELL_SECONDS / stepSeconds)) });
  const top = max ?? Math.max(0, ...means.filter((mean) => mean !== undefined));
  const text = means.map((mean) => mean === undefined ? " " : LEVELS[levelOf(mean, top)]!).join("");
  return text.padStart(width);
}

function levelOf(value: number, top: number): number {
  if (top <= 0) return 0;
  return Math.min(LEVELS.length - 1, Math.max(0, Math.round(value / top * (LEVELS.length - 1))));
}

function cells(
  values: readonly (number | null)[],
  { width, perCell }: { readonly width: number; readonly perCell: number },
): (number | undefined)[] {
  const means: (number | undefined)[] = [];
  for (let end = values.length; end > 0 && means.length < width; end -= perCell) {
    const known = values.slice(Math.max(0, end - perCell), end).filter((value) => value !== null);
    means.unshift(
      known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length,
    );
  }
  return means;
}
