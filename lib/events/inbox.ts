import { peekNumbering } from "../dynamo/event_envelope.ts";
import { peekSpeaker } from "../dynamo/event_record.ts";
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
}

const NOTHING = new Uint8Array();

/** How many messages are kept of which nobody knows of whom they are, and of how many speakers and publishers. */
const MAX_KEPT = 4_096;
const MAX_SPEAKERS = 65_536;

/**
 * Keeps what comes at one source of events of load until it is taken: of each worker and rank that speaks only the
 * newest, which makes all before it untrue. Messages are told apart by a glance; they are read when they are taken.
 */
export class Inbox {
  #byKey = new Map<string, Kept>();
  #others: Kept[] = [];
  readonly #sequences = new Map<bigint, number>();
  #heard = 0;
  #missed = 0;

  get isEmpty(): boolean {
    return this.#heard === 0;
  }

  put(message: Kept): void {
    this.#heard++;
    const { data } = message;
    const numbering = peekNumbering(data);
    if (numbering !== undefined) this.#count(numbering);
    const speaker = peekSpeaker(data instanceof Uint8Array ? data : data.at(-1) ?? NOTHING);
    if (speaker === undefined || numbering === undefined) return this.#putOther(message);
    // A router that speaks of a worker takes nothing from what the worker says.
    const key = data instanceof Uint8Array ? `${numbering.publisher} ${speaker}` : speaker;
    if (this.#byKey.size < MAX_SPEAKERS || this.#byKey.has(key)) this.#byKey.set(key, message);
  }

  /** What came since the last call, in the order of time for each that speaks. */
  take(): Taken {
    const messages = [...this.#others, ...this.#byKey.values()];
    const taken = { messages, heard: this.#heard, missed: this.#missed };
    this.drop();
    this.#heard = 0;
    this.#missed = 0;
    return taken;
  }

  /** What is kept is no longer true, though it counts as heard. */
  drop(): void {
    this.#byKey = new Map();
    this.#others = [];
  }

  #putOther(message: Kept): void {
    if (this.#others.length >= MAX_KEPT) this.#others.splice(0, MAX_KEPT / 2);
    this.#others.push(message);
  }

  #count({ publisher, sequence }: { publisher: bigint; sequence: number }): void {
    const before = this.#sequences.get(publisher);
    if (before === undefined && this.#sequences.size >= MAX_SPEAKERS) {
      this.#sequences.delete(this.#sequences.keys().next().value!);
    }
    this.#sequences.set(publisher, sequence);
    if (before !== undefined && sequence > before) this.#missed += sequence - before - 1;
  }
}
