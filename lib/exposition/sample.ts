import type { Family } from "./family.ts";
import { escapeValue, type Label, labelsText } from "./labels.ts";
import { numberText } from "./number.ts";

/**
 * Samples of a family as a table: a row is one number of one series. Large fleets have hundreds of thousands of these, so
 * what they have in common is said once, and a row is no object of its own.
 */
export interface Samples {
  /** The family's name, unless they are a part of a histogram. */
  readonly name: string;
  /** Labels that all of them have. */
  readonly shared: readonly Label[];
  /** The names of the labels that tell them apart, which follow the shared ones. */
  readonly names: readonly string[];
  /** The values of these labels, row after row; undefined where a sample does not have one, which is never the first. */
  readonly labels: readonly (string | undefined)[];
  /** One number a row. */
  readonly values: readonly number[];
}

/** A form in which pages are written. */
export interface Format {
  readonly name: FormatName;
  /** What stands above a family's samples, line feeds included. */
  readonly header: (family: Family) => string;
  /** Writes samples of a family, one row after the other. */
  readonly samples: (samples: Samples) => string;
  /** What stands below the last family. */
  readonly end: string;
}

export type FormatName = "text" | "openmetrics";

/** Labels whose values are made here, of digits and letters: nothing in them is to be escaped, and there are very many. */
const OURS: ReadonlySet<string> = new Set(["worker_id", "dp_rank", "channel", "state"]);

/** A line for each sample: the same in both text formats. */
export function sampleLines({ name, shared, names, labels, values }: Samples): string {
  const beginning = labelsText(shared);
  const width = names.length;
  if (width === 0) {
    const series = beginning === "" ? name : `${name}{${beginning}}`;
    return values.map((value) => `${series} ${numberText(value)}\n`).join("");
  }
  const [first, ...others] = names.map((label, n) => {
    const before = n > 0 ? '",' : `${name}{${beginning}${beginning === "" ? "" : ","}`;
    return `${before}${label}="`;
  });
  const isOurs = names.map((label) => OURS.has(label));
  const shown = (value: string, column: number) => isOurs[column] ? value : escapeValue(value);
  let text = "";
  for (let row = 0, n = 0; row < values.length; row++, n += width) {
    let line = first + shown(labels[n]!, 0);
    for (let column = 1; column < width; column++) {
      const value = labels[n + column];
      if (value !== undefined) line += others[column - 1]! + shown(value, column);
    }
    text += line + '"} ' + numberText(values[row]!) + "\n";
  }
  return text;
}
