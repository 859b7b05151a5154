/** What the page should show where something is known: a value, or two that it must be between. */
export interface Known {
  readonly text: string;
  readonly verdict: "equal" | "within";
  allows(shown: Shown): boolean;
}

/** What the page shows; undefined where it shows nothing. */
export type Shown = number | string | undefined;

/** One fact of all workers of a run, in the workers' order. */
export interface Row {
  readonly what: string;
  readonly known: string;
  readonly shown: string;
  readonly verdict: "equal" | "within" | "DIFFERS";
}

export function exactly(value: Shown): Known {
  return { text: textOf(value), verdict: "equal", allows: (shown) => shown === value };
}

/** Both ends are allowed. */
export function between(low: number, high: number): Known {
  const allows = (shown: Shown) => typeof shown === "number" && shown >= low && shown <= high;
  return {
    text: low === high ? textOf(low) : `${textOf(low)} to ${textOf(high)}`,
    verdict: "within",
    allows,
  };
}

/** A release, told alone, as one of a range (`0.1.1-0.2.0`) or with all that came after (`1.4.2+`). */
export function toldAs(release: string): Known {
  const allows = (shown: Shown) => {
    const [, first, open, last = first] = /^([\d.]+?)(?:(\+)|-([\d.]+))?$/.exec(String(shown)) ?? [];
    if (first === undefined) return false;
    return order(first, release) <= 0 && (open !== undefined || order(release, last!) <= 0);
  };
  return { text: release, verdict: "within", allows };
}

/** Below 0 where the first of two versions is the older one. */
function order(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** What was shown over a time as one text: each value once, in the order of its first time. Undefined without any. */
export function distinct(values: readonly Shown[]): Shown {
  return values.length === 0 ? undefined : [...new Set(values.map(textOf))].join(", ");
}

/** One row of what is known beside what is shown, which must be as many values. */
export function compare(what: string, known: readonly Known[], shown: readonly Shown[]): Row {
  const isSo = known.length === shown.length && known.every((each, n) => each.allows(shown[n]));
  const texts = known.map(({ text }) => text);
  const areSame = new Set(texts).size === 1 && texts.length > 1;
  return {
    what,
    known: areSame ? `${texts[0]} each` : texts.join(", ") || ABSENT,
    shown: shown.map(textOf).join(", ") || ABSENT,
    verdict: isSo ? known[0]?.verdict ?? "equal" : "DIFFERS",
  };
}

export function isRight({ verdict }: Row): boolean {
  return verdict !== "DIFFERS";
}

/** The rows in columns under a head. */
export function tableText(rows: readonly Row[]): string {
  return columnsText([HEAD, ...rows.map(({ verdict, what, known, shown }) => [verdict, what, known, shown])]);
}

/** Lines of as many cells each, in columns. */
export function columnsText(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) => `  ${line.map((cell, n) => cell.padEnd(widths[n]!)).join("  ").trimEnd()}`)
    .join("\n");
}

const HEAD = ["verdict", "what", "known", "shown"];
const ABSENT = "–";

/** A dash for what is absent; six decimals at most. */
export function textOf(value: Shown): string {
  if (value === undefined) return ABSENT;
  return typeof value === "number" ? String(Math.round(value * 1e6) / 1e6) : value;
}
