import type { Msg, NatsConnection } from "nats";
import { BegunFrame, Frame, FrameError, LF } from "./nats_frame.ts";
import { innerOf, type NatsParser } from "./nats_inner.ts";
import type { NatsMessage } from "./nats_message.ts";

/** Takes a message, or the server's refusal of the subscription; must not throw. */
type Handler = (message: NatsMessage | Error) => void;

/**
 * Subscribes on one connection, takes the place of npm:nats' parser there, and reads messages without headers itself: of
 * each of them npm:nats makes eight objects, a kilobyte, which for ten thousand answers is more than all that they say. What
 * else the server sends goes to npm:nats' parser, whole. What npm:nats counts of messages is without those read here.
 */
export class NatsReader implements NatsParser {
  readonly #connection: NatsConnection;
  readonly #others: NatsParser;
  /** By the number of the subscription. */
  readonly #handlers = new Map<number, Handler>();
  readonly #frame = new Frame();
  /** The beginning of a frame of which the rest has not come. */
  #begun: BegunFrame | undefined;
  readonly #subject = new RepeatedText();
  #failure: Error | undefined;

  /** @param connection one that has no subscription yet */
  constructor(connection: NatsConnection) {
    const inner = innerOf(connection);
    this.#connection = connection;
    this.#others = inner.parser;
    inner.parser = this;
  }

  get state(): number {
    return this.#others.state;
  }

  /** Calls `handle` with each message at `subject` until the result is disposed of. */
  subscribe(subject: string, handle: Handler): Disposable {
    const subscription = this.#connection.subscribe(subject, {
      callback: (error, message) => handle(error ?? new HeadedMessage(message)),
    });
    const number = subscription.getID();
    this.#handlers.set(number, handle);
    return {
      [Symbol.dispose]: () => {
        this.#handlers.delete(number);
        subscription.unsubscribe();
      },
    };
  }

  /** Why nothing more can be read. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Takes what came, in order, cut anywhere. Where it cannot be read the connection is closed. */
  parse(chunk: Uint8Array): void {
    if (this.#failure !== undefined) return;
    try {
      this.#parse(chunk);
    } catch (error) {
      this.#failure = error instanceof FrameError ? error : new FrameError("a line that makes no sense");
      this.#begun = undefined;
      void this.#connection.close();
    }
  }

  #parse(chunk: Uint8Array): void {
    const frame = this.#frame;
    let at = this.#begun === undefined ? this.#endLine(chunk) : this.#complete(this.#begun, chunk);
    while (at < chunk.length) {
      if (!frame.read(chunk, at) || frame.end > chunk.length) {
        this.#begun = new BegunFrame(chunk.subarray(at));
        return;
      }
      this.#take(chunk);
      at = frame.end;
    }
  }

  /** Gives npm:nats' parser the rest of a line that it began before its place was taken; gives how much that was. */
  #endLine(chunk: Uint8Array): number {
    if (this.#others.state === 0) return 0;
    const end = chunk.indexOf(LF) + 1 || chunk.length;
    this.#others.parse(chunk.subarray(0, end));
    return end;
  }

  /** Adds what the frame lacks; gives how much of the chunk that was. */
  #complete(begun: BegunFrame, chunk: Uint8Array): number {
    const frame = this.#frame;
    let taken = 0;
    if (!frame.read(begun.bytes, 0)) {
      taken = chunk.indexOf(LF) + 1 || chunk.length;
      begun.add(chunk.subarray(0, taken));
      if (!frame.read(begun.bytes, 0)) return taken;
    }
    const lacking = chunk.subarray(taken, taken + frame.end - begun.bytes.length);
    begun.add(lacking, frame.end);
    if (begun.bytes.length === frame.end) {
      this.#begun = undefined;
      this.#take(begun.bytes);
    }
    return taken + lacking.length;
  }

  /** Takes the frame that was read of these bytes, and is whole. */
  #take(bytes: Uint8Array): void {
    const { start, subjectStart, subjectEnd, replyStart, replyEnd, dataStart, dataEnd, end } = this.#frame;
    const handle = this.#frame.isPlainMessage ? this.#handlers.get(this.#frame.subscription) : undefined;
    if (handle === undefined) return this.#others.parse(bytes.subarray(start, end));
    handle({
      subject: this.#subject.read(bytes, subjectStart, subjectEnd),
      reply: replyStart < replyEnd ? decoder.decode(bytes.subarray(replyStart, replyEnd)) : undefined,
      data: bytes.subarray(dataStart, dataEnd),
      noResponders: false,
    });
  }
}

const decoder = new TextDecoder();

/** One that npm:nats read: its texts and headers are decoded when they are asked for. */
class HeadedMessage implements NatsMessage {
  constructor(private readonly message: Msg) {}

  get subject(): string {
    return this.message.subject;
  }

  get reply(): string | undefined {
    return this.message.reply || undefined;
  }

  get data(): Uint8Array {
    return this.message.data;
  }

  get noResponders(): boolean {
    return this.message.data.length === 0 && this.message.headers?.code === 503;
  }
}

/** Decodes a text that is mostly the one before. */
class RepeatedText {
  #bytes = new Uint8Array();
  #text = "";

  read(bytes: Uint8Array, start: number, end: number): string {
    if (!this.#isSame(bytes, start, end)) {
      this.#bytes = bytes.slice(start, end);
      this.#text = decoder.decode(this.#bytes);
    }
    return this.#text;
  }

  #isSame(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start !== this.#bytes.length) return false;
    for (let n = 0; n < this.#bytes.length; n++) if (bytes[start + n] !== this.#bytes[n]) return false;
    return true;
  }
}
