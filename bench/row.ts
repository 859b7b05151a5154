import type { RowResult } from "./measure.ts";

/** One row of the benchmark: a program of its own, that starts what it needs and ends it. */
export interface Row {
  /** For `--only`. */
  readonly name: string;
  /** What it measures, in one line. */
  readonly what: string;
  run(context: RowContext): Promise<RowResult>;
}

export interface RowContext {
  /** Everything in two minutes: shorter, and less certain. */
  readonly quick: boolean;
  /** Tells the person who waits. */
  readonly say: (line: string) => void;
}
