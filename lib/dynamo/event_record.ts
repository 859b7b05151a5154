import { Buffer } from "node:buffer";
import { EventError } from "./event_error.ts";
import { exactIntegers, toU32, toU64 } from "./exact_integers.ts";
import { type WorkerId, workerIdFromInteger } from "./worker_id.ts";

/** What an event says, its fields not yet checked. */
export type EventRecord = Readonly<Record<string, unknown>>;

/** @throws {EventError} when `text` is no JSON object */
export function parseEventJson(text: string): EventRecord {
  let value: unknown;
  try {
    value = JSON.parse(text, exactIntegers as never);
  } catch (cause) {
    throw new EventError("not_json", "not JSON", { cause });
  }
  return eventRecord(value);
}

/** @throws {EventError} when `value` is no object; `name` is what the message calls it */
export function eventRecord(value: unknown, name?: string): EventRecord {
  if (typeof value !== "object" || value === null) {
    throw new EventError("fields", name === undefined ? "not an object" : `${name} is not an object`);
  }
  return value as EventRecord;
}

/** @throws {EventError} when `worker_id` is no unsigned 64-bit integer */
export function eventWorker(record: EventRecord): WorkerId {
  const worker = workerIdFromInteger(record.worker_id);
  if (worker === undefined) throw new EventError("fields", "worker_id is no unsigned 64-bit integer");
  return worker;
}

/**
 * The rank, 0 where the record has none, as for Dynamo's own readers.
 *
 * @throws {EventError} when `dp_rank` is no unsigned 32-bit integer
 */
export function eventRank(record: EventRecord): number {
  if (record.dp_rank === undefined) return 0;
  const rank = toU32(record.dp_rank);
  if (rank === undefined) throw new EventError("fields", "dp_rank is no unsigned 32-bit integer");
  return rank;
}

/** @throws {EventError} when the field is missing or no unsigned 64-bit integer */
export function eventCount(record: EventRecord, field: string): number {
  const count = toU64(record[field]);
  if (count === undefined) throw new EventError("fields", `${field} is no unsigned integer`);
  return count;
}

/**
 * The count, undefined where the field is missing or null.
 *
 * @throws {EventError} when it is no unsigned 64-bit integer
 */
export function optionalEventCount(record: EventRecord, field: string): number | undefined {
  return record[field] === undefined || record[field] === null ? undefined : eventCount(record, field);
}

/** What names the worker and rank of an event: where it stands, its bytes, and these as text. */
export interface Speaker {
  readonly start: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * Finds what names the worker and rank of a MessagePack event without reading the rest: equal for two events of one
 * speaker. Undefined where they do not stand together, as in all releases they do.
 */
export function peekSpeaker(bytes: Uint8Array): Speaker | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = buffer.indexOf("worker_id", 0, "latin1");
  const rank = start < 0 ? -1 : buffer.indexOf("dp_rank", start, "latin1");
  if (rank < 0 || rank - start > MAX_SPEAKER_BYTES) return undefined;
  const end = rank + "dp_rank".length + RANK_BYTES;
  return { start, bytes: bytes.subarray(start, end), text: buffer.toString("latin1", start, end) };
}

/**
 * Finds the same in the JSON of releases to 0.8.1, which tells a worker from a router by a `null`. Undefined where it names
 * no worker.
 */
export function peekJsonSpeaker(bytes: Uint8Array): Speaker | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const [, worker] = /"worker_id"\s*:\s*(\d+)/.exec(text) ?? [];
  if (worker === undefined) return undefined;
  const [, rank = ""] = /"(?:dp_rank|data_parallel_rank)"\s*:\s*(\d+)/.exec(text) ?? [];
  const isRouter = /"active_prefill_tokens"\s*:\s*\d/.test(text);
  return { start: 0, bytes, text: `${worker}/${rank}/${isRouter}` };
}

/** The longest id, as decimal text, with its name. */
const MAX_SPEAKER_BYTES = 32;
/** Holds ranks below 65,536. */
const RANK_BYTES = 3;
