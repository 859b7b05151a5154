/**
 * ZMTP 3, the wire of ZeroMQ's sockets over TCP (rfc.zeromq.org/spec/37), without security (mechanism NULL): what is
 * sent, as bytes, and a reader of what comes, however it is cut. Pure.
 */

import { joinBytes } from "../bytes.ts";

const MORE = 1;
const LONG = 2;
const COMMAND = 4;
const GREETING_BYTES = 64;
const MECHANISM_AT = 12;
const MECHANISM_BYTES = 20;
/** libzmq takes and answers no more of a PING's context. */
const MAX_CONTEXT_BYTES = 16;
/** Empty frames would go past any limit of bytes. */
const MAX_FRAMES = 1_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What comes from the peer, in its order: its greeting, then commands and messages. */
export type Received =
  | { readonly kind: "greeting" }
  | { readonly kind: "command"; readonly name: string; readonly data: Uint8Array }
  | { readonly kind: "message"; readonly frames: readonly Uint8Array[] };

/**
 * What each end says first: version 3.0, for our subscription has that version's form. A publisher says 3.1, as
 * libzmq does, and hears both forms.
 */
export function greeting(minor: 0 | 1 = 0): Uint8Array {
  const bytes = new Uint8Array(GREETING_BYTES);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes[11] = minor;
  bytes.set(encoder.encode("NULL"), MECHANISM_AT);
  return bytes;
}

/** The command that follows the peer's greeting: the kind of our socket (`SUB`, `PUB`). */
export function ready(socketType: string): Uint8Array {
  const name = encoder.encode("Socket-Type");
  const value = encoder.encode(socketType);
  return encodeCommand("READY", joinBytes([[name.length], name, [0, 0, 0, value.length], value]));
}

/** Asks for all messages whose first frame begins with `topic`; to be said after the peer's READY. */
export function subscription(topic: string): Uint8Array {
  return encodeMessage([joinBytes([[1], encoder.encode(topic)])]);
}

/** What a subscriber wants from now on, or no longer. */
export interface SubscriptionChange {
  readonly wanted: boolean;
  /** The first bytes of the first frame. */
  readonly topic: Uint8Array;
}

/** Reads a subscription, or its end: a message of one frame in ZMTP 3.0, a command since 3.1. Undefined for anything else. */
export function subscriptionChange(received: Received): SubscriptionChange | undefined {
  if (received.kind === "command") {
    const { name, data } = received;
    return name === "SUBSCRIBE" || name === "CANCEL"
      ? { wanted: name === "SUBSCRIBE", topic: data }
      : undefined;
  }
  if (received.kind !== "message" || received.frames.length !== 1) return undefined;
  const [frame] = received.frames;
  return frame![0] === 0 || frame![0] === 1
    ? { wanted: frame![0] === 1, topic: frame!.subarray(1) }
    : undefined;
}

/** Asks for a sign of life, and sets the peer no limit of its own (a time to live of 0). */
export function ping(): Uint8Array {
  return encodeCommand("PING", new Uint8Array(2));
}

/** The answer to a PING, given what that carries: its time to live (2 bytes) and a context, which goes back. */
export function pong(pingData: Uint8Array): Uint8Array {
  return encodeCommand("PONG", pingData.subarray(2, 2 + MAX_CONTEXT_BYTES));
}

/** A command as one frame. */
export function encodeCommand(name: string, data: Uint8Array): Uint8Array {
  const text = encoder.encode(name);
  return encodeFrame(COMMAND, joinBytes([[text.length], text, data]));
}

/** A message of one frame or more. */
export function encodeMessage(frames: readonly Uint8Array[]): Uint8Array {
  return joinBytes(frames.map((frame, n) => encodeFrame(n < frames.length - 1 ? MORE : 0, frame)));
}

function encodeFrame(flags: number, body: Uint8Array): Uint8Array {
  if (body.length < 256) return joinBytes([[flags, body.length], body]);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(body.length));
  return joinBytes([[flags | LONG], length, body]);
}

/** The kind of the peer's socket, given what its READY carries. Throws when that cannot be read or names none. */
export function peerSocketType(readyData: Uint8Array): string {
  const view = new DataView(readyData.buffer, readyData.byteOffset, readyData.byteLength);
  for (let at = 0; at < readyData.length;) {
    const nameEnd = at + 1 + readyData[at]!;
    const valueAt = nameEnd + 4;
    const end = valueAt <= readyData.length ? valueAt + view.getUint32(nameEnd) : Infinity;
    if (end > readyData.length) throw new Error("the peer's READY is cut off");
    const name = decoder.decode(readyData.subarray(at + 1, nameEnd));
    if (name.toLowerCase() === "socket-type") return decoder.decode(readyData.subarray(valueAt, end));
    at = end;
  }
  throw new Error("the peer's READY names no socket type");
}

/** Why the peer ends, given what its ERROR carries. */
export function errorReason(errorData: Uint8Array): string {
  return decoder.decode(errorData.subarray(1, 1 + (errorData[0] ?? 0)));
}

/**
 * Reads one connection from its first byte on. What it gives is its own, so that the chunks may be reused: frames that
 * are whole in a chunk are views of one copy of it, others are put together.
 */
export class ZmtpReader {
  readonly #maxMessageBytes: number;
  readonly #header = new Uint8Array(9);
  /** What is being read, how much of it has come, and what it is. */
  #piece: Uint8Array = new Uint8Array(GREETING_BYTES);
  #filled = 0;
  #kind: "greeting" | "header" | "length" | "body" = "greeting";
  #flags = 0;
  /** The frames of a message that has not come whole. */
  #frames: Uint8Array[] = [];
  #messageBytes = 0;
  #wholeBytes = 0;

  /** @param options `maxMessageBytes`: what a command, or the frames of a message together, may have */
  constructor({ maxMessageBytes }: { readonly maxMessageBytes: number }) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /**
   * What the next chunk completes, to be taken to its end. Throws at the first byte that is not ZMTP 3 with mechanism
   * NULL, or announces more than is allowed; nothing can be read after that.
   */
  *read(chunk: Uint8Array): Generator<Received, void> {
    let own: Uint8Array | undefined;
    let at = 0;
    while (true) {
      if (this.#kind === "header" && this.#filled === 0) {
        own ??= chunk.slice(at);
        const frames = this.#readWhole(own, at - (chunk.length - own.length));
        if (frames !== undefined) {
          at += this.#wholeBytes;
          if (frames.length > 0) yield { kind: "message", frames };
          continue;
        }
      }
      const step = Math.min(this.#piece.length - this.#filled, chunk.length - at);
      if (step > 0) this.#piece.set(chunk.subarray(at, at + step), this.#filled);
      this.#filled += step;
      at += step;
      if (this.#filled < this.#piece.length) return;
      const received = this.#take(this.#piece);
      if (received) yield received;
    }
  }

  /**
   * A frame that stands whole at a place, or the rest of a message from there; undefined where the steps of the state
   * machine are needed: for commands, frames that go on in the next chunk, and what is wrong. Gives no frames while the
   * message goes on; `#wholeBytes` says how far it came.
   */
  #readWhole(bytes: Uint8Array, start: number): readonly Uint8Array[] | undefined {
    let at = start;
    while (at + 2 <= bytes.length) {
      const flags = bytes[at]!;
      let bodyAt = at + 2;
      let length = bytes[at + 1]!;
      if ((flags & ~(MORE | LONG)) !== 0) break;
      if (flags & LONG) {
        bodyAt = at + 9;
        if (bodyAt > bytes.length) break;
        length = longLength(bytes, at + 1);
      }
      const end = bodyAt + length;
      const total = this.#messageBytes + length;
      if (end > bytes.length || total > this.#maxMessageBytes || this.#frames.length >= MAX_FRAMES) break;
      this.#frames.push(bytes.subarray(bodyAt, end));
      this.#messageBytes = total;
      at = end;
      if ((flags & MORE) === 0) {
        const frames = this.#frames;
        this.#frames = [];
        this.#messageBytes = 0;
        this.#wholeBytes = at - start;
        return frames;
      }
    }
    this.#wholeBytes = at - start;
    return at > start ? NO_FRAMES : undefined;
  }

  #expect(kind: "header" | "length" | "body", piece: Uint8Array): void {
    this.#kind = kind;
    this.#piece = piece;
    this.#filled = 0;
  }

  #take(piece: Uint8Array): Received | undefined {
    switch (this.#kind) {
      case "greeting":
        checkGreeting(piece);
        this.#expectFrame();
        return { kind: "greeting" };
      case "header":
        this.#flags = piece[0]!;
        if (
          (this.#flags & ~(MORE | LONG | COMMAND)) !== 0 ||
          (this.#flags & (MORE | COMMAND)) === (MORE | COMMAND)
        ) {
          throw new Error(`a frame with the flags ${this.#flags}`);
        }
        if (this.#flags & LONG) this.#expect("length", this.#header.subarray(2));
        else this.#expectBody(piece[1]!);
        return undefined;
      case "length": {
        this.#expectBody(longLength(this.#header, 1));
        return undefined;
      }
      case "body":
        this.#expectFrame();
        return this.#flags & COMMAND ? decodeCommand(piece) : this.#addFrame(piece);
    }
  }

  /** A header has flags and one byte of length; of a long frame that byte is the first of eight. */
  #expectFrame(): void {
    this.#expect("header", this.#header.subarray(0, 2));
  }

  /** Throws before anything is kept ready for a body that is too large. */
  #expectBody(bytes: number): void {
    const isMessage = (this.#flags & COMMAND) === 0;
    const total = isMessage ? this.#messageBytes + bytes : bytes;
    if (total > this.#maxMessageBytes) {
      throw new Error(`a ${isMessage ? "message" : "command"} of more than ${this.#maxMessageBytes} bytes`);
    }
    if (isMessage && this.#frames.length === MAX_FRAMES) {
      throw new Error(`a message of more than ${MAX_FRAMES} frames`);
    }
    this.#expect("body", new Uint8Array(bytes));
  }

  #addFrame(frame: Uint8Array): Received | undefined {
    this.#frames.push(frame);
    this.#messageBytes += frame.length;
    if (this.#flags & MORE) return undefined;
    const frames = this.#frames;
    this.#frames = [];
    this.#messageBytes = 0;
    return { kind: "message", frames };
  }
}

const NO_FRAMES: readonly Uint8Array[] = [];

/** The eight bytes of a long frame's length. */
function longLength(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}

function checkGreeting(bytes: Uint8Array): void {
  if (bytes[0] !== 0xff || bytes[9] !== 0x7f) throw new Error("the peer does not speak ZMTP");
  if (bytes[10]! < 3) throw new Error(`the peer speaks version ${bytes[10]} of ZMTP`);
  const mechanism = decoder.decode(bytes.subarray(MECHANISM_AT, MECHANISM_AT + MECHANISM_BYTES))
    .replace(/\0+$/, "");
  if (mechanism !== "NULL") throw new Error(`the peer wants the mechanism ${mechanism}`);
}

function decodeCommand(body: Uint8Array): Received {
  const dataAt = 1 + (body[0] ?? 0);
  if (dataAt === 1 || dataAt > body.length) throw new Error("a command without a name");
  return { kind: "command", name: decoder.decode(body.subarray(1, dataAt)), data: body.subarray(dataAt) };
}
