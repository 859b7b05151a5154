import { type EventEnvelope, eventPayload } from "./event_envelope.ts";
import { eventCount, type EventRecord, eventWorker, parseEventJson } from "./event_record.ts";
import { encodeMsgpack } from "./msgpack.ts";
import type { WorkerId } from "./worker_id.ts";

/** The event that a KV router publishes for each routed request, and `mock_worker` once a second. */
export const HIT_RATE_EVENT = "kv-hit-rate";

/** How many blocks a request's input has, and how many of them the chosen worker's cache already held. */
export interface HitRate {
  readonly worker: WorkerId;
  readonly islBlocks: number;
  readonly overlapBlocks: number;
}

/**
 * Reads `{"worker_id":…,"isl_blocks":…,"overlap_blocks":…}` of releases 0.1.0 to 0.7.1; other fields (`dp_rank`) are
 * ignored.
 *
 * @throws {EventError}
 */
export function parseHitRate(text: string): HitRate {
  const [, worker, islBlocks, overlapBlocks] = AS_WRITTEN.exec(text) ?? [];
  if (worker === undefined) return hitRate(parseEventJson(text));
  return { worker: worker as WorkerId, islBlocks: Number(islBlocks), overlapBlocks: Number(overlapBlocks) };
}

/** The record as Dynamo writes it, with an id of up to 19 digits: it comes tens of thousands of times a second. */
const AS_WRITTEN =
  /^\{"worker_id":(0|[1-9]\d{0,18}),(?:"dp_rank":\d{1,9},)?"isl_blocks":(0|[1-9]\d{0,14}),"overlap_blocks":(0|[1-9]\d{0,14})\}$/;

/**
 * Reads the same record in the envelope of release 0.9.1, the last that sends it.
 *
 * @throws {EventError}
 */
export function parseHitRateEnvelope(envelope: EventEnvelope): HitRate {
  return hitRate(eventPayload(envelope, HIT_RATE_EVENT));
}

/** The same event as a publisher of those releases writes it, since 0.6.1 with the rank. */
export function hitRateText(event: HitRate, options: { readonly dpRank?: number } = {}): string {
  const { worker, islBlocks, overlapBlocks } = event;
  const rank = options.dpRank === undefined ? "" : `"dp_rank":${options.dpRank},`;
  return `{"worker_id":${worker},${rank}"isl_blocks":${islBlocks},"overlap_blocks":${overlapBlocks}}`;
}

/** The payload of the event in the envelope of 0.9.1. */
export function encodeHitRate(
  event: HitRate,
  { dpRank }: { readonly dpRank: number },
): Uint8Array<ArrayBuffer> {
  return encodeMsgpack({
    worker_id: BigInt(event.worker),
    dp_rank: dpRank,
    isl_blocks: event.islBlocks,
    overlap_blocks: event.overlapBlocks,
  });
}

function hitRate(record: EventRecord): HitRate {
  return {
    worker: eventWorker(record),
    islBlocks: eventCount(record, "isl_blocks"),
    overlapBlocks: eventCount(record, "overlap_blocks"),
  };
}
