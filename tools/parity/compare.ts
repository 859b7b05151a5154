/** One sample on two pages; undefined where a page has none. */
export interface ComparedSample {
  readonly series: string;
  readonly original: string | undefined;
  readonly ours: string | undefined;
  readonly equal: boolean;
}

/** The deviation's last digit depends on the order of adding, which the original leaves to the order of arrival. */
const LOOSE = { series: "llm_load_std", relative: 1e-14 };

/** All samples of the original's names, on either page, by series. */
export function comparePages(original: string, ours: string): ComparedSample[] {
  const [theirs, own] = [samples(original), samples(ours)];
  return [...new Set([...theirs.keys(), ...own.keys()])].toSorted().map((series) => {
    const [a, b] = [theirs.get(series), own.get(series)];
    const equal = a === b ||
      series.startsWith(LOOSE.series) && a !== undefined && b !== undefined && isClose(+a, +b);
    return { series, original: a, ours: b, equal };
  });
}

export function comparisonText(samples: readonly ComparedSample[]): string {
  const width = Math.max(...samples.map(({ series }) => series.length));
  return samples.map(({ series, original = "–", ours = "–", equal }) =>
    `${equal ? "=" : "≠"} ${series.padEnd(width)}  ${original}  ${ours}`
  ).join("\n");
}

function samples(page: string): Map<string, string> {
  const lines = page.split("\n").filter((line) => line.startsWith("llm_"));
  return new Map(lines.map((line) => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), line.slice(space + 1)];
  }));
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= LOOSE.relative * Math.max(Math.abs(a), Math.abs(b));
}
