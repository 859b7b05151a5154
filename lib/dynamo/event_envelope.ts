import { EventError } from "./event_error.ts";
import { eventCount, type EventRecord, eventRecord } from "./event_record.ts";
import { decodeMsgpack } from "./msgpack.ts";
import { type WorkerId, workerIdFromInteger } from "./worker_id.ts";

/** What releases since 0.9.1 put around each event, on NATS and ZMQ alike. */
export interface EventEnvelope {
  /** To release 1.2.1 the worker's (or router's) id, since 1.3 random. Decimal. */
  readonly publisher: WorkerId;
  /** Counts from 0 for each publisher: a gap is a loss. */
  readonly sequence: number;
  /** Milliseconds since 1970, by the publisher's clock. */
  readonly publishedAtMs: number;
  readonly topic: string;
  /** MessagePack again; a view of the bytes that were read. */
  readonly payload: Uint8Array;
}

/**
 * Reads the MessagePack map `{publisher_id, sequence, published_at, topic, payload}`: the body of a NATS message.
 *
 * @throws {EventError}
 */
export function parseEnvelope(bytes: Uint8Array): EventEnvelope {
  const record = eventRecord(decodeMsgpack(bytes));
  const { topic, payload } = record;
  const publisher = workerIdFromInteger(record.publisher_id);
  if (publisher === undefined) throw new EventError("fields", "publisher_id is no unsigned 64-bit integer");
  if (typeof topic !== "string") throw new EventError("fields", "topic is no text");
  if (!(payload instanceof Uint8Array)) throw new EventError("fields", "payload is not binary");
  return {
    publisher,
    sequence: eventCount(record, "sequence"),
    publishedAtMs: eventCount(record, "published_at"),
    topic,
    payload,
  };
}

/** Whether bytes can be an envelope, a map of a few fields; before 0.9 events were JSON, which never begins so. */
export function isEnvelope(bytes: Uint8Array): boolean {
  return (bytes[0]! & 0xf0) === 0x80;
}

/** Before the envelope in the last frame: the version, and the envelope's length as u32. */
const PREAMBLE_BYTES = 5;
const FRAME_VERSION = 1;

/**
 * Reads the four frames of a ZMQ message: topic, publisher and sequence (u64, big-endian), and `01`, length (u32,
 * big-endian), envelope. The first three repeat what the envelope says and are not looked at.
 *
 * @throws {EventError}
 */
export function parseZmqFrames(frames: readonly Uint8Array[]): EventEnvelope {
  const last = frames[3];
  if (last === undefined || frames.length !== 4) {
    throw new EventError("not_msgpack", `${frames.length} frames, not 4`);
  }
  if (last.length < PREAMBLE_BYTES || last[0] !== FRAME_VERSION) {
    throw new EventError("not_msgpack", `the last frame does not begin with ${FRAME_VERSION} and a length`);
  }
  const length = new DataView(last.buffer, last.byteOffset, last.byteLength).getUint32(1);
  const envelope = last.subarray(PREAMBLE_BYTES);
  if (length !== envelope.length) {
    throw new EventError("not_msgpack", `the last frame holds ${envelope.length} bytes, not ${length}`);
  }
  return parseEnvelope(envelope);
}

/**
 * What the envelope holds, for an event of exactly this name: a ZMQ subscription to `kv` brings every topic that begins
 * so.
 *
 * @throws {EventError}
 */
export function eventPayload(envelope: EventEnvelope, event: string): EventRecord {
  if (envelope.topic !== event) throw new EventError("fields", `topic is not ${event}`);
  return eventRecord(decodeMsgpack(envelope.payload));
}
