/** Text made into the bytes of a page as it comes. */
export class PageBuffer {
  readonly #encoder = new TextEncoder();
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** Room that is not needed costs address space alone; growing copies all there is. */
  constructor(expectedLength: number) {
    this.#bytes = new Uint8Array(Math.max(expectedLength, MIN_LENGTH));
  }

  append(text: string): void {
    const needed = this.#length + MAX_BYTES * text.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#length += this.#encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
  }

  /** What was appended so far. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}

const MIN_LENGTH = 65_536;
/** A UTF-16 unit is three bytes at most. */
const MAX_BYTES = 3;
