import { zmqFrames } from "../../lib/dynamo/event_envelope.ts";
import { encodeForwardPass, FORWARD_PASS_EVENT } from "../../lib/dynamo/forward_pass.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { encodeMessage } from "../../lib/transport/zmtp.ts";

/** Numbers from here on take five bytes each, so that they can be written over in place. */
const FIRST_SEQUENCE = 1_000_000;
const text = new TextEncoder();

/**
 * The forward-pass events of one worker as bytes for a ZMQ connection: laid out once, then only what counts or changes is
 * written over.
 */
export class ForwardPasses {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #messageBytes: number;
  /** Of what is written over, within a message. */
  readonly #at: { readonly frame: number; readonly sequence: number; readonly published: number };
  readonly #counterAt: number;
  readonly #decodeAt: number;
  #sequence = FIRST_SEQUENCE;

  /** @param options `most`: how many are asked for at once */
  constructor({ worker, publisher, most }: { worker: WorkerId; publisher: WorkerId; most: number }) {
    const message = messageOf(worker, publisher);
    this.#messageBytes = message.length;
    this.#bytes = new Uint8Array(most * message.length);
    for (let n = 0; n < most; n++) this.#bytes.set(message, n * message.length);
    this.#view = new DataView(this.#bytes.buffer);
    const after = (key: string) => indexAfter(message, text.encode(key));
    const topicBytes = 2 + FORWARD_PASS_EVENT.length;
    this.#at = {
      frame: topicBytes + 2 + 8 + 2,
      sequence: after("sequence") + 1,
      published: after("published_at") + 1,
    };
    this.#counterAt = after("counter_id") + 1;
    this.#decodeAt = after("num_decode_requests");
  }

  get sent(): number {
    return this.#sequence - FIRST_SEQUENCE;
  }

  /** The next so many, valid until the next call. */
  next(count: number): Uint8Array {
    const now = BigInt(Date.now());
    for (let n = 0; n < count; n++) {
      const from = n * this.#messageBytes;
      this.#view.setBigUint64(from + this.#at.frame, BigInt(this.#sequence));
      this.#view.setUint32(from + this.#at.sequence, this.#sequence);
      this.#view.setBigUint64(from + this.#at.published, now);
      this.#view.setUint32(from + this.#counterAt, this.#sequence);
      this.#bytes[from + this.#decodeAt] = this.#sequence % 100;
      this.#sequence++;
    }
    return this.#bytes.subarray(0, count * this.#messageBytes);
  }
}

function messageOf(worker: WorkerId, publisher: WorkerId): Uint8Array {
  const payload = encodeForwardPass(
    { worker, dpRank: 0, running: 0, waiting: 0 },
    { counter: FIRST_SEQUENCE, wallSeconds: 0.016714070999994873 },
  );
  const envelope = {
    publisher,
    sequence: FIRST_SEQUENCE,
    topic: FORWARD_PASS_EVENT,
    payload,
  };
  return encodeMessage(zmqFrames(envelope, { publishedAtMs: Date.now() }));
}

function indexAfter(bytes: Uint8Array, wanted: Uint8Array): number {
  const at = bytes.findIndex((_, from) => wanted.every((byte, n) => bytes[from + n] === byte));
  return at + wanted.length;
}
