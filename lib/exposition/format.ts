import type { Family } from "./family.ts";

/** A form in which pages are written. Samples are the same in all; what stands around them is not. */
export interface Format {
  readonly name: FormatName;
  /** What stands above a family's samples, line feeds included. */
  readonly header: (family: Family) => string;
  /** What stands below the last family. */
  readonly end: string;
}

export type FormatName = "text" | "openmetrics";
