const encoder = new TextEncoder();

/**
 * The replies of a whole fleet as the bytes that go to nats-server, laid out once: from round to round only the subject
 * that they go to is written over, so that playing ten thousand workers costs the machine next to nothing.
 */
export class ReplyBlock {
  readonly #payloads: readonly Uint8Array[];
  #bytes: Uint8Array = new Uint8Array(0);
  /** Where the subject stands in each message, and how long it is. */
  #offsets: number[] = [];
  #length = -1;

  constructor(texts: readonly string[]) {
    this.#payloads = texts.map((text) => encoder.encode(text));
  }

  /** The mean length of a reply. */
  get replyBytes(): number {
    return this.#payloads.reduce((sum, { length }) => sum + length, 0) / this.#payloads.length;
  }

  /** All replies, to that subject. Valid until the next call. */
  to(subject: string): Uint8Array {
    const bytes = encoder.encode(subject);
    if (bytes.length !== this.#length) this.#layOut(bytes.length);
    for (const offset of this.#offsets) this.#bytes.set(bytes, offset);
    return this.#bytes;
  }

  #layOut(length: number): void {
    this.#length = length;
    const blank = "x".repeat(length);
    const heads = this.#payloads.map((payload) => encoder.encode(`PUB ${blank} ${payload.length}\r\n`));
    const total = this.#payloads.reduce((sum, payload, n) => sum + heads[n]!.length + payload.length + 2, 0);
    this.#bytes = new Uint8Array(total);
    this.#offsets = [];
    let at = 0;
    for (const [n, payload] of this.#payloads.entries()) {
      this.#offsets.push(at + "PUB ".length);
      for (const part of [heads[n]!, payload, END]) {
        this.#bytes.set(part, at);
        at += part.length;
      }
    }
  }
}

const END = encoder.encode("\r\n");
