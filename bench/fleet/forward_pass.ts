import { Encoder } from "@msgpack/msgpack";
import { FORWARD_PASS_EVENT } from "../../lib/dynamo/forward_pass.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { encodeMessage } from "../../lib/transport/zmtp.ts";

/** Numbers from here on take five bytes each, so that they can be written over in place. */
const FIRST_SEQUENCE = 1_000_000;
const VERSION = 1;
const encoder = new Encoder({ useBigInt64: true });
const text = new TextEncoder();

/**
 * The forward-pass events of one worker, to the field and in the order of release 1.6.1, as bytes for a ZMQ connection:
 * laid out once, then only what counts or changes is written over.
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
  constructor({ worker, publisher, most }: { worker: WorkerId; publisher: bigint; most: number }) {
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

function messageOf(worker: WorkerId, publisher: bigint): Uint8Array {
  const payload = encoder.encode({
    version: VERSION,
    worker_id: worker,
    dp_rank: 0,
    counter_id: FIRST_SEQUENCE,
    wall_time: 0.016714070999994873,
    scheduled_requests: {
      num_prefill_requests: 1,
      sum_prefill_tokens: 14,
      var_prefill_length: 0.5,
      sum_prefill_kv_tokens: 432,
      num_decode_requests: 0,
      sum_decode_kv_tokens: 12_345,
      var_decode_kv_tokens: 0.5,
    },
    queued_requests: {
      num_prefill_requests: 0,
      sum_prefill_tokens: 0,
      var_prefill_length: 0.5,
      num_decode_requests: 0,
      sum_decode_kv_tokens: 0,
      var_decode_kv_tokens: 0.5,
    },
  });
  const envelope = encoder.encode({
    publisher_id: publisher,
    sequence: FIRST_SEQUENCE,
    published_at: BigInt(Date.now()),
    topic: FORWARD_PASS_EVENT,
    payload,
  });
  const id = new Uint8Array(8);
  new DataView(id.buffer).setBigUint64(0, publisher);
  const body = new Uint8Array(5 + envelope.length);
  body[0] = VERSION;
  new DataView(body.buffer).setUint32(1, envelope.length);
  body.set(envelope, 5);
  return encodeMessage([text.encode(FORWARD_PASS_EVENT), id, new Uint8Array(8), body]);
}

function indexAfter(bytes: Uint8Array, wanted: Uint8Array): number {
  const at = bytes.findIndex((_, from) => wanted.every((byte, n) => bytes[from + n] === byte));
  return at + wanted.length;
}
