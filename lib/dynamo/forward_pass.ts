import { type EventEnvelope, eventPayload } from "./event_envelope.ts";
import { EventError } from "./event_error.ts";
import { eventCount, eventRank, type EventRecord, eventRecord } from "./event_record.ts";
import { encodeMsgpack, Float64 } from "./msgpack.ts";
import { type WorkerId, workerIdFromDecimal } from "./worker_id.ts";

/** The event of releases since 1.1.1 that a worker sends for each forward pass, and per rank while no pass ends for 1 s. */
export const FORWARD_PASS_EVENT = "forward-pass-metrics";

/** Requests of one rank in a forward pass: those it computes, and those that wait for a slot. */
export interface ForwardPass {
  readonly worker: WorkerId;
  readonly dpRank: number;
  readonly running: number;
  readonly waiting: number;
}

/**
 * A message of the event. In a heartbeat all counts are 0, which says nothing of the requests: no pass has ended for
 * 1 s because the rank is idle, because one pass takes long, or because its device hangs (run: vLLM behind 1.2.1, 1.6.1).
 */
export interface ForwardPassMessage extends ForwardPass {
  readonly isHeartbeat: boolean;
}

/**
 * Reads `{worker_id: "<decimal text>", dp_rank, wall_time, scheduled_requests: {…}, queued_requests: {…}}`. The numbers
 * of prefill and decode requests are added; other fields are ignored. A heartbeat has the `wall_time` 0, a real pass
 * never.
 *
 * @throws {EventError}
 */
export function parseForwardPass(envelope: EventEnvelope): ForwardPassMessage {
  const record = eventPayload(envelope, FORWARD_PASS_EVENT);
  const { worker_id } = record;
  const worker = typeof worker_id === "string" ? workerIdFromDecimal(worker_id) : undefined;
  if (worker === undefined) {
    throw new EventError("fields", "worker_id is no text of an unsigned 64-bit integer");
  }
  return {
    worker,
    dpRank: eventRank(record),
    running: requests(record, "scheduled_requests"),
    waiting: requests(record, "queued_requests"),
    isHeartbeat: record.wall_time === 0,
  };
}

/**
 * The payload of such an event. All requests are decodes, of which nothing but the number is known; `counter` counts
 * the passes from 1, `wallSeconds` is how long this one took, 0 for a heartbeat.
 */
export function encodeForwardPass(
  { worker, dpRank, running, waiting }: ForwardPass,
  { counter, wallSeconds }: { readonly counter: number; readonly wallSeconds: number },
): Uint8Array<ArrayBuffer> {
  const zero = new Float64(0);
  return encodeMsgpack({
    version: 1,
    worker_id: worker,
    dp_rank: dpRank,
    counter_id: counter,
    wall_time: new Float64(wallSeconds),
    scheduled_requests: {
      num_prefill_requests: 0,
      sum_prefill_tokens: 0,
      var_prefill_length: zero,
      sum_prefill_kv_tokens: 0,
      num_decode_requests: running,
      sum_decode_kv_tokens: 0,
      var_decode_kv_tokens: zero,
    },
    queued_requests: {
      num_prefill_requests: 0,
      sum_prefill_tokens: 0,
      var_prefill_length: zero,
      num_decode_requests: waiting,
      sum_decode_kv_tokens: 0,
      var_decode_kv_tokens: zero,
    },
  });
}

function requests(record: EventRecord, field: string): number {
  const counts = eventRecord(record[field], field);
  return eventCount(counts, "num_prefill_requests") + eventCount(counts, "num_decode_requests");
}
