import { type Numbering, peekNumbering } from "../dynamo/event_envelope.ts";
import { peekJsonSpeaker, peekSpeaker, type Speaker } from "../dynamo/event_record.ts";
import type { Instant } from "../timing.ts";

/** A message as it came: a NATS body or the frames of ZMQ. */
export type Message = Uint8Array | readonly Uint8Array[];

export interface Kept {
  readonly at: Instant;
  readonly data: Message;
}

/** What came at one source since it was last taken. */
export interface Taken {
  /** Those that are worth reading. */
  readonly messages: readonly Kept[];
  readonly heard: number;
  /** Messages that a publisher numbered and that did not come. */
  readonly missed: number;
  /** Messages on ZMQ that are no events, which have four frames. */
  readonly refused: number;
}

/** How many messages are kept of which nobody knows of whom they are, and of how many speakers and publishers. */
const MAX_KEPT = 4_096;
const MAX_SPEAKERS = 65_536;
/** And how many bytes in all: events are of some hundred. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
/** A number that is so much higher than the one before is no loss, but another beginning. */
const MAX_MISSED = 1_000_000;
/** Of a ZMQ message. */
const FRAMES = 4;
/**
 * A message that comes so long after the speaker's last may be a heartbeat, which does not make the last pass untrue:
 * both are kept. Heartbeats come 1 s after the last message.
 */
const PAUSE_MS = 900;

/** The newest message of one speaker. */
interface Place {
  message: Kept;
  /** Where and what in its last frame names the speaker. */
  readonly speaker: Speaker;
}

/** The newest number of one publisher. */
interface Counted {
  sequence: number;
}

/**
 * Keeps what comes at one source of events of load until it is taken: of each worker and rank that speaks only the
 * newest, which makes all before it untrue, and what came before a pause. Messages are told apart by a glance; they are
 * read when they are taken.
 */
export class Inbox {
  #places = new Map<string, Place>();
  #others: Kept[] = [];
  #beforePauses: Kept[] = [];
  readonly #publishers = new Map<bigint, Counted>();
  /** Whom the last message was of: most sockets have one publisher and one speaker. */
  #last: { readonly publisher: Uint8Array; readonly counted: Counted; readonly place: Place } | undefined;
  #heard = 0;
  #missed = 0;
  #refused = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#heard === 0;
  }

  put(message: Kept): void {
    this.#heard++;
    const { data } = message;
    if (!(data instanceof Uint8Array) && data.length !== FRAMES) {
      this.#refused++;
      return;
    }
    if (this.#isLikeLast(message)) return;
    const numbering = peekNumbering(data);
    const counted = numbering && this.#count(numbering);
    const bytes = data instanceof Uint8Array ? data : data.at(-1) ?? NOTHING;
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_KEPT_BYTES) return;
    const speaker = numbering === undefined ? peekJsonSpeaker(bytes) : peekSpeaker(bytes);
    if (speaker === undefined) return this.#putOther(message);
    // A router that speaks of a worker takes nothing from what the worker says.
    const key = `${numbering?.publisher} ${speaker.text}`;
    const known = this.#places.get(key);
    if (known === undefined && this.#places.size >= MAX_SPEAKERS) return;
    if (known !== undefined) this.#keepBeforePause(known.message, message);
    const place = { message, speaker };
    this.#places.set(key, place);
    const isNumberedByFrames = !(data instanceof Uint8Array) && counted !== undefined;
    this.#last = isNumberedByFrames ? { publisher: data[1]!, counted, place } : undefined;
  }

  /** What came since the last call, in the order of time for each that speaks. */
  take(): Taken {
    const messages = [...this.#others, ...this.#beforePauses];
    for (const { message } of this.#places.values()) messages.push(message);
    const taken = { messages, heard: this.#heard, missed: this.#missed, refused: this.#refused };
    this.drop();
    this.#bytes = 0;
    this.#refused = 0;
    this.#heard = 0;
    this.#missed = 0;
    return taken;
  }

  /** What is kept is no longer true, though it counts as heard. */
  drop(): void {
    this.#places = new Map();
    this.#others = [];
    this.#beforePauses = [];
    this.#last = undefined;
  }

  /** Puts frames of the publisher and speaker of the last message in its place. */
  #isLikeLast(message: Kept): boolean {
    const last = this.#last;
    const frames = message.data;
    if (last === undefined || frames instanceof Uint8Array) return false;
    const [, publisher, sequence, body] = frames;
    const { start, bytes } = last.place.speaker;
    if (!standsAt(body!, start, bytes) || sequence!.length !== 8) return false;
    if (publisher!.length !== 8 || !standsAt(publisher!, 0, last.publisher)) return false;
    this.#advance(last.counted, u64At(sequence!));
    this.#keepBeforePause(last.place.message, message);
    last.place.message = message;
    return true;
  }

  #keepBeforePause(last: Kept, message: Kept): void {
    if (message.at.monotonicMs - last.at.monotonicMs < PAUSE_MS) return;
    if (this.#beforePauses.length < MAX_KEPT) this.#beforePauses.push(last);
  }

  #putOther(message: Kept): void {
    if (this.#others.length >= MAX_KEPT) this.#others.splice(0, MAX_KEPT / 2);
    this.#others.push(message);
  }

  #count({ publisher, sequence }: Numbering): Counted {
    const known = this.#publishers.get(publisher);
    if (known !== undefined) {
      this.#advance(known, sequence);
      return known;
    }
    if (this.#publishers.size >= MAX_SPEAKERS) {
      this.#publishers.delete(this.#publishers.keys().next().value!);
    }
    const counted = { sequence };
    this.#publishers.set(publisher, counted);
    return counted;
  }

  #advance(counted: Counted, sequence: number): void {
    const missed = sequence - counted.sequence - 1;
    if (missed > 0 && missed <= MAX_MISSED) this.#missed += missed;
    counted.sequence = sequence;
  }
}

const NOTHING = new Uint8Array();

function standsAt(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let n = 0; n < wanted.length; n++) if (bytes[start + n] !== wanted[n]) return false;
  return true;
}

/** Big-endian, the nearest double. */
function u64At(bytes: Uint8Array): number {
  let value = 0;
  for (let n = 0; n < 8; n++) value = value * 256 + bytes[n]!;
  return value;
}
