import { EventError } from "./event_error.ts";
import { eventCount, type EventRecord, eventRecord } from "./event_record.ts";
import { decodeMsgpack, encodeMsgpack } from "./msgpack.ts";
import { type WorkerId, workerIdFromInteger } from "./worker_id.ts";

/** What releases since 0.9.1 put around each event, on NATS and ZMQ alike. */
export interface EventEnvelope {
  /** To release 1.2.1 the worker's (or router's) id, since 1.3 random. Decimal. */
  readonly publisher: WorkerId;
  /** Counts from 0 for each publisher: a gap is a loss. */
  readonly sequence: number;
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
    topic,
    payload,
  };
}

/** When an event was published: milliseconds since 1970, by the publisher's clock. */
export interface Published {
  readonly publishedAtMs: number;
}

/** The body of a NATS message, as {@link parseEnvelope} reads it. */
export function encodeEnvelope(
  { publisher, sequence, topic, payload }: EventEnvelope,
  { publishedAtMs }: Published,
): Uint8Array<ArrayBuffer> {
  return encodeMsgpack({
    publisher_id: BigInt(publisher),
    sequence,
    published_at: publishedAtMs,
    topic,
    payload,
  });
}

/** Whether bytes can be an envelope, a map of a few fields; before 0.9 events were JSON, which never begins so. */
export function isEnvelope(bytes: Uint8Array): boolean {
  return (bytes[0]! & 0xf0) === 0x80;
}

/** Whose event it is, and which. */
export interface Numbering {
  readonly publisher: bigint;
  readonly sequence: number;
}

/**
 * Reads these alone of a NATS message or ZMQ frames, at the places where all releases write them; undefined where they
 * do not stand there.
 */
export function peekNumbering(data: Uint8Array | readonly Uint8Array[]): Numbering | undefined {
  if (!(data instanceof Uint8Array)) {
    const [, publisher, sequence] = data;
    if (publisher?.length !== 8 || sequence?.length !== 8) return undefined;
    return {
      publisher: viewOf(publisher).getBigUint64(0),
      sequence: Number(viewOf(sequence).getBigUint64(0)),
    };
  }
  if (!isEnvelope(data)) return undefined;
  const view = viewOf(data);
  const publisher = peekField(view, 1, PUBLISHER);
  const sequence = publisher && peekField(view, publisher.end, SEQUENCE);
  return sequence && { publisher: publisher.value, sequence: Number(sequence.value) };
}

const PUBLISHER = fieldName("publisher_id");
const SEQUENCE = fieldName("sequence");

/** A field's name as MessagePack writes it. */
function fieldName(name: string): Uint8Array {
  return new Uint8Array([0xa0 | name.length, ...new TextEncoder().encode(name)]);
}

/** An unsigned integer under this name at this place, and where it ends. */
function peekField(
  view: DataView,
  start: number,
  name: Uint8Array,
): { value: bigint; end: number } | undefined {
  const at = start + name.length;
  if (at + 9 > view.byteLength) return undefined;
  for (let n = 0; n < name.length; n++) if (view.getUint8(start + n) !== name[n]) return undefined;
  const first = view.getUint8(at);
  if (first < 0x80) return { value: BigInt(first), end: at + 1 };
  switch (first) {
    case 0xcc:
      return { value: BigInt(view.getUint8(at + 1)), end: at + 2 };
    case 0xcd:
      return { value: BigInt(view.getUint16(at + 1)), end: at + 3 };
    case 0xce:
      return { value: BigInt(view.getUint32(at + 1)), end: at + 5 };
    case 0xcf:
      return { value: view.getBigUint64(at + 1), end: at + 9 };
    default:
      return undefined;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
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
  const length = viewOf(last).getUint32(1);
  const envelope = last.subarray(PREAMBLE_BYTES);
  if (length !== envelope.length) {
    throw new EventError("not_msgpack", `the last frame holds ${envelope.length} bytes, not ${length}`);
  }
  return parseEnvelope(envelope);
}

/** The frames of a ZMQ message, as {@link parseZmqFrames} reads them. */
export function zmqFrames(envelope: EventEnvelope, published: Published): readonly Uint8Array[] {
  const { topic, publisher, sequence } = envelope;
  const body = encodeEnvelope(envelope, published);
  const last = new Uint8Array(PREAMBLE_BYTES + body.length);
  last[0] = FRAME_VERSION;
  new DataView(last.buffer).setUint32(1, body.length);
  last.set(body, PREAMBLE_BYTES);
  return [new TextEncoder().encode(topic), bigEndian(BigInt(publisher)), bigEndian(BigInt(sequence)), last];
}

function bigEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
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
