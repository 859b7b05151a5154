import { exactIntegers, toU64 } from "./exact_integers.ts";
import { type WorkerId, workerIdFromInteger } from "./worker_id.ts";

/** The event that a KV router publishes for each routed request, and `mock_worker` once a second. */
export const HIT_RATE_EVENT = "kv-hit-rate";

/** How many blocks a request's input has, and how many of them the chosen worker's cache already held. */
export interface HitRate {
  readonly worker: WorkerId;
  readonly islBlocks: number;
  readonly overlapBlocks: number;
}

/** Why an event cannot be used. A closed set: it becomes a label. */
export const EVENT_PROBLEMS = ["not_json", "fields"] as const;
export type EventProblem = typeof EVENT_PROBLEMS[number];

export class EventError extends Error {
  override readonly name = "EventError";
  constructor(readonly problem: EventProblem, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Reads `{"worker_id":…,"isl_blocks":…,"overlap_blocks":…}` of releases 0.1.0 to 0.7.1; other fields (`dp_rank`) are
 * ignored.
 *
 * @throws {EventError}
 */
export function parseHitRate(text: string): HitRate {
  let value: unknown;
  try {
    value = JSON.parse(text, exactIntegers as never);
  } catch (cause) {
    throw new EventError("not_json", "not JSON", { cause });
  }
  if (typeof value !== "object" || value === null) throw new EventError("fields", "not an object");
  const record = value as Readonly<Record<string, unknown>>;
  const worker = workerIdFromInteger(record.worker_id);
  if (worker === undefined) throw new EventError("fields", "worker_id is no unsigned 64-bit integer");
  return { worker, islBlocks: blocks(record, "isl_blocks"), overlapBlocks: blocks(record, "overlap_blocks") };
}

/** The same event as a publisher of those releases writes it. */
export function hitRateText(event: HitRate): string {
  return `{"worker_id":${event.worker},"isl_blocks":${event.islBlocks},"overlap_blocks":${event.overlapBlocks}}`;
}

function blocks(record: Readonly<Record<string, unknown>>, field: string): number {
  const value = toU64(record[field]);
  if (value === undefined) throw new EventError("fields", `${field} is no unsigned integer`);
  return value;
}
