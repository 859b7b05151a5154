import { type Measure, median } from "./measure.ts";
import goals from "./goals.json" with { type: "json" };

/** What a measure must reach, by its median. */
export interface Goal {
  /** The measure's name. */
  readonly measure: string;
  readonly what: string;
  readonly max?: number;
  readonly min?: number;
  /** Where it is explained why this is not met. */
  readonly explained?: string;
}

export type Verdict = "met" | "MISSED" | "NOT MEASURED";

export const GOALS: readonly Goal[] = goals;

/** Whether a goal is met; a measure that is not there, or has no values, is not measured. */
export function judge(goal: Goal, measure: Measure | undefined): Verdict {
  if (measure === undefined || measure.values.length === 0) return "NOT MEASURED";
  const value = median(measure.values);
  return value <= (goal.max ?? Infinity) && value >= (goal.min ?? -Infinity) ? "met" : "MISSED";
}
