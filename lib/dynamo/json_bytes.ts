/** JSON written as bytes, in a buffer that is used again: for what is written for each worker in each round. */
export class JsonBytes {
  #bytes = new Uint8Array(65_536);
  #length = 0;

  /** Writes what was made before. */
  put(bytes: Uint8Array): void {
    this.#need(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes ASCII text. */
  text(text: string): void {
    this.#need(text.length);
    for (let n = 0; n < text.length; n++) this.#bytes[this.#length++] = text.charCodeAt(n);
  }

  /** Writes an integer that is not negative. */
  integer(value: number): void {
    if (value > MAX_INT32) return this.text(integerText(value));
    let digits = 1;
    for (let above = 10; above <= value; above *= 10) digits++;
    this.#need(digits);
    this.#length += digits;
    let rest = value;
    for (let at = this.#length - 1; digits > 0; digits--) {
      const shorter = rest / 10 | 0;
      this.#bytes[at--] = ZERO + rest - 10 * shorter;
      rest = shorter;
    }
  }

  /** What was written; the next begins. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #need(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

const ZERO = 0x30;
const MAX_INT32 = 0x7fff_ffff;

/** An unsigned integer without an exponent. */
export function integerText(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : BigInt(value).toString();
}
