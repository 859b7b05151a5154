/**
 * Text made into the bytes of a page as it comes, in parts of one size: memory of tens of megabytes in one piece finds no place
 * where such a piece was before, once something small has settled there.
 */
export class PageBuffer {
  readonly #encoder = new TextEncoder();
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  #part: Uint8Array<ArrayBuffer>;
  #filled = 0;

  /** Room that is not needed costs time alone. */
  constructor(expectedLength: number) {
    this.#part = new Uint8Array(Math.min(Math.max(expectedLength, MIN_BYTES), PART_BYTES));
  }

  append(text: string): void {
    for (let rest = text; rest !== "";) {
      const { read, written } = this.#encoder.encodeInto(rest, this.#part.subarray(this.#filled));
      this.#filled += written;
      if (read === rest.length) return;
      rest = rest.slice(read);
      this.#parts.push(this.#part.subarray(0, this.#filled));
      this.#part = new Uint8Array(PART_BYTES);
      this.#filled = 0;
    }
  }

  /** What was appended, one after the other; each part is a buffer of its own. */
  parts(): readonly Uint8Array<ArrayBuffer>[] {
    return [...this.#parts, this.#part.subarray(0, this.#filled)];
  }
}

const MIN_BYTES = 16_384;
const PART_BYTES = 262_144;
