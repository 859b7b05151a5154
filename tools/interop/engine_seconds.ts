import { between, columnsText, compare, type Row, type Shown } from "./comparison.ts";
import { type EngineReading, type Range, readingsFor } from "./engine_reading.ts";
import type { Sample } from "./engine_watch.ts";

/** A number that our page shows and the engine has. */
export interface Quantity {
  readonly name: string;
  shown(page: Sample["page"]): Shown;
  /** What may be shown, if these are the engine's readings. */
  range(readings: readonly EngineReading[]): Range;
}

/** What one sample of our page shows of each quantity, beside what the engine had. */
export interface Second {
  readonly atMs: number;
  readonly cells: readonly { readonly shown: Shown; readonly range: Range; readonly agrees: boolean }[];
}

/**
 * How many of the samples must agree. Not all can: an event shows a pass that no reading of the engine's page may have
 * met, for a busy engine makes 100 passes a second.
 */
const AGREEING = 0.9;

/** Each sample beside the engine's readings that it may be made of. Samples without such readings are left out. */
export function secondsOf(
  quantities: readonly Quantity[],
  { samples, readings, ageMs }: {
    readonly samples: readonly Pick<Sample, "fromMs" | "toMs" | "page">[];
    readonly readings: readonly EngineReading[];
    readonly ageMs: number;
  },
): readonly Second[] {
  return samples.flatMap(({ fromMs, toMs, page }) => {
    const own = readingsFor(readings, { fromMs, toMs, ageMs });
    if (own.length === 0) return [];
    const cells = quantities.map((quantity) => {
      const [shown, range] = [quantity.shown(page), quantity.range(own)];
      return { shown, range, agrees: between(range.low, range.high).allows(shown) };
    });
    return [{ atMs: fromMs, cells }];
  });
}

/** For each quantity, how many of the samples agree with the engine. */
export function agreementRows(
  when: string,
  { quantities, seconds }: { readonly quantities: readonly Quantity[]; readonly seconds: readonly Second[] },
): Row[] {
  const all = seconds.length;
  return quantities.map(({ name }, n) => {
    const agreeing = seconds.filter(({ cells }) => cells[n]!.agrees).length;
    const enough = Math.max(1, Math.ceil(AGREEING * all));
    return compare(`${when}: ${name}, samples of ${all} that agree`, [between(enough, Math.max(1, all))], [
      agreeing,
    ]);
  });
}

/** A line for each sample: what is shown, and in brackets what the engine had; `!` stands where they differ. */
export function secondsText(
  quantities: readonly Quantity[],
  seconds: readonly Second[],
): string {
  const startMs = seconds[0]?.atMs ?? 0;
  const lines = [
    ["s", ...quantities.map(({ name }) => name)],
    ...seconds.map(({ atMs, cells }) => [
      ((atMs - startMs) / 1_000).toFixed(1),
      ...cells.map(({ shown, range, agrees }) =>
        `${short(shown)} (${rangeText(range)})${agrees ? "" : " !"}`
      ),
    ]),
  ];
  return columnsText(lines);
}

function rangeText({ low, high }: Range): string {
  return [...new Set([short(low), short(high)])].join(" to ");
}

function short(value: Shown): string {
  if (value === undefined) return "–";
  return typeof value === "number" ? String(Math.round(value * 1e4) / 1e4 + 0) : value; // + 0: no "-0".
}
