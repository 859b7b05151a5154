import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import { timeText } from "./time_text.ts";
import { hasSameLabels, LISTS, workerFields } from "./worker_fields.ts";

/** The API's JSON of one worker. What is not known is absent. */
export function workerJson(worker: WorkerSnapshot): string {
  const { channels, lastAnswerAt } = worker;
  const lists = LISTS.map(({ name, items }) => [name, items(worker)] as const);
  return JSON.stringify({
    ...workerFields(worker),
    channels: [...channels],
    ...(lastAnswerAt && { last_seen_at: timeText(lastAnswerAt) }),
    ...Object.fromEntries(lists.filter(([, items]) => items.length > 0)),
  });
}

/** Whether the JSON of both is the same but for numbers and for `last_seen_at`, which is in both or in none. */
export function isSameButNumbers(a: WorkerSnapshot, b: WorkerSnapshot): boolean {
  return hasSameLabels(a, b) && isSameSet(a.channels, b.channels) &&
    (a.lastAnswerAt === undefined) === (b.lastAnswerAt === undefined) &&
    LISTS.every(({ hasSameItems }) => hasSameItems(a, b));
}

function isSameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a === b || a.size === b.size && [...a].every((value) => b.has(value));
}
