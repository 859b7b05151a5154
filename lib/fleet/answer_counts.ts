import type { WorkerId } from "../dynamo/worker_id.ts";
import type { Answer } from "../scrape/answer.ts";
import type { WorkerTable } from "./worker_table.ts";

/** How many workers a round's answers are of; each counts once. */
export interface AnswerCounts {
  /** Those that had answered before. */
  readonly expected: number;
  /** Those that answered now, newcomers too, and those of them with load. */
  readonly answered: number;
  readonly decoded: number;
  /** Whether all that were expected answered. */
  readonly isComplete: boolean;
}

const ANSWERED = 1;
const WITH_LOAD = 2;

/** `workers` are those that were known when the round ended, its answers not taken yet. */
export function countAnswers(answers: readonly Answer[], workers: WorkerTable): AnswerCounts {
  const heard = new Uint8Array(workers.size); // By position: for ten thousand far less than a Map.
  const newcomers = new Map<WorkerId, number>();
  for (const { worker, outcome } of answers) {
    const position = workers.position(worker);
    const kind = outcome.kind === "load" ? WITH_LOAD : ANSWERED;
    if (position === undefined) newcomers.set(worker, kind);
    else heard[position] = kind;
  }
  let expected = 0;
  let isComplete = true;
  workers.values().forEach(({ answer }, position) => {
    if (answer === undefined) return;
    expected++;
    if (heard[position] === 0) isComplete = false;
  });
  let answered = 0;
  let decoded = 0;
  const count = (kind: number) => {
    if (kind >= ANSWERED) answered++;
    if (kind === WITH_LOAD) decoded++;
  };
  heard.forEach(count);
  newcomers.forEach(count);
  return { expected, answered, decoded, isComplete };
}
