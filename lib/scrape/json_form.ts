/** A value of a JSON text that may be another in a text of the same form. */
export interface Slot {
  readonly kind: "text" | "number";
  /** Names and indices from the outermost value to this. */
  readonly path: readonly (string | number)[];
  /** Where it stands in the text that was learned; of a text without its quotes. */
  readonly start: number;
  readonly end: number;
}

/**
 * The slots of a JSON text, in their order. Undefined for a text that is none, is very deep, names a field twice, or has an escape or
 * a byte beyond ASCII, whose like are not worth a form.
 */
export function slotsOf(bytes: Uint8Array): readonly Slot[] | undefined {
  try {
    return new SlotFinder(bytes).find();
  } catch (error) {
    if (error instanceof NoForm) return undefined;
    throw error;
  }
}

/** What replaces a slot where texts are told apart further: only part of a text differs, or nothing of it. */
export interface FormSlot {
  readonly kind: "text" | "number" | "hex";
  readonly start: number;
  readonly end: number;
}

/**
 * The form of JSON texts of one kind: every byte but those in its slots. A text that matches is JSON, since the one that
 * was learned is, and its slots hold what they held there: a text, a number, or 1 to 16 hexadecimal digits within one.
 */
export class JsonForm {
  readonly #bytes: Uint8Array;
  readonly #slots: readonly FormSlot[];
  readonly #ends: Int32Array;
  /** Where each slot of the text that matched last begins, and what is in it. */
  readonly starts: Int32Array;
  /** A number written as an integer below 10^15; NaN for all else. Of hex digits the lower 32 bits. */
  readonly values: Float64Array;
  /** A number written as a decimal fraction without an exponent, but for an error of 2^-49 of it; NaN for all else. */
  readonly fractions: Float64Array;
  /** Of hex digits the upper 32 bits. */
  readonly uppers: Float64Array;

  constructor(learned: Uint8Array, slots: readonly FormSlot[]) {
    this.#bytes = learned;
    this.#slots = slots;
    this.starts = new Int32Array(slots.length);
    this.#ends = new Int32Array(slots.length);
    this.values = new Float64Array(slots.length);
    this.fractions = new Float64Array(slots.length);
    this.uppers = new Float64Array(slots.length);
  }

  /** The text of a slot that matched last, of the bytes that did. */
  text(bytes: Uint8Array, slot: number): string {
    return decoder.decode(bytes.subarray(this.starts[slot], this.#ends[slot]));
  }

  /** Whether these bytes are of the form; what is in the slots is then to be had until the next call. */
  matches(bytes: Uint8Array): boolean {
    const learned = this.#bytes;
    let from = 0;
    let at = 0;
    for (let n = 0; n < this.#slots.length; n++) {
      const { kind, start, end } = this.#slots[n]!;
      while (from < start) if (bytes[at++] !== learned[from++]) return false;
      this.starts[n] = at;
      at = kind === "number"
        ? this.#number(bytes, at, n)
        : kind === "hex"
        ? this.#hex(bytes, at, n)
        : textEnd(bytes, at);
      if (at < 0) return false;
      this.#ends[n] = at;
      from = end;
    }
    while (from < learned.length) if (bytes[at++] !== learned[from++]) return false;
    return at === bytes.length;
  }

  #number(bytes: Uint8Array, start: number, slot: number): number {
    let at = start;
    let value = 0;
    for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[at]! - ZERO) {
      value = value * 10 + digit;
      at++;
    }
    const digits = at - start;
    if (digits === 0 || digits > 1 && bytes[start] === ZERO || digits > MAX_DIGITS) {
      return this.#otherNumber(bytes, start, slot);
    }
    if (bytes[at] === POINT) {
      const point = at++;
      for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[at]! - ZERO) {
        value = value * 10 + digit;
        at++;
      }
      const scale = at - point - 1;
      if (scale === 0 || digits + scale > MAX_FRACTION_DIGITS) return this.#otherNumber(bytes, start, slot);
      this.fractions[slot] = value / 10 ** scale;
      this.values[slot] = NaN;
    } else {
      this.values[slot] = value;
      this.fractions[slot] = NaN;
    }
    return bytes[at] === SMALL_E || bytes[at] === BIG_E ? this.#otherNumber(bytes, start, slot) : at;
  }

  /** One that is seldom written: negative, long, or with an exponent. */
  #otherNumber(bytes: Uint8Array, start: number, slot: number): number {
    this.values[slot] = NaN;
    this.fractions[slot] = NaN;
    return numberEnd(bytes, start);
  }

  #hex(bytes: Uint8Array, start: number, slot: number): number {
    let at = start;
    let upper = 0;
    let lower = 0;
    for (let digit = hexDigit(bytes[at]!); digit >= 0; digit = hexDigit(bytes[at]!)) {
      upper = (upper << 4 | lower >>> 28) >>> 0;
      lower = (lower << 4 | digit) >>> 0;
      at++;
    }
    this.values[slot] = lower;
    this.uppers[slot] = upper;
    return at > start && at - start <= 16 ? at : NO_MATCH;
  }
}

const NO_MATCH = -1;
const MAX_DIGITS = 15;
/** Real replies are five deep. */
const MAX_DEPTH = 32;
/** Of which the first 15 are exact, and each after that errs by half of 2^-52 at most. */
const MAX_FRACTION_DIGITS = 20;
const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const SMALL_E = 0x65;
const BIG_E = 0x45;
const decoder = new TextDecoder();

function hexDigit(byte: number): number {
  const digit = byte - ZERO;
  if (digit >= 0 && digit <= 9) return digit;
  const letter = (byte | 0x20) - 0x61;
  return letter >= 0 && letter <= 5 ? letter + 10 : -1;
}

/** Where a text without escapes ends; `NO_MATCH` for another. */
function textEnd(bytes: Uint8Array, start: number): number {
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at;
    if (byte < 0x20 || byte >= 0x80 || byte === BACKSLASH) return NO_MATCH;
  }
  return NO_MATCH;
}

/** Where a number ends, by JSON's grammar; `NO_MATCH` for what is none. */
function numberEnd(bytes: Uint8Array, start: number): number {
  const isDigit = (at: number) => bytes[at]! >= ZERO && bytes[at]! <= ZERO + 9;
  let at = bytes[start] === MINUS ? start + 1 : start;
  const first = at;
  while (isDigit(at)) at++;
  if (at === first || at > first + 1 && bytes[first] === ZERO) return NO_MATCH;
  if (bytes[at] === POINT) {
    if (!isDigit(++at)) return NO_MATCH;
    while (isDigit(at)) at++;
  }
  if (bytes[at] === SMALL_E || bytes[at] === BIG_E) {
    at++;
    if (bytes[at] === PLUS || bytes[at] === MINUS) at++;
    if (!isDigit(at)) return NO_MATCH;
    while (isDigit(at)) at++;
  }
  return at;
}

class NoForm extends Error {}

/** Walks a JSON text that `JSON.parse` takes. */
class SlotFinder {
  readonly #slots: Slot[] = [];
  readonly #path: (string | number)[] = [];
  #at = 0;

  constructor(private readonly bytes: Uint8Array) {
    try {
      JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw new NoForm();
    }
  }

  find(): readonly Slot[] {
    this.#value();
    return this.#slots;
  }

  #value(): void {
    switch (this.#next()) {
      case "{":
        return this.#object();
      case "[":
        return this.#list();
      case '"': {
        const start = this.#at + 1;
        const end = this.#text();
        this.#slots.push({ kind: "text", path: [...this.#path], start, end });
        return;
      }
      case "t":
      case "n":
        this.#at += 4;
        return;
      case "f":
        this.#at += 5;
        return;
      default: {
        const start = this.#at;
        this.#at = numberEnd(this.bytes, start);
        this.#slots.push({ kind: "number", path: [...this.#path], start, end: this.#at });
      }
    }
  }

  #object(): void {
    const names = new Set<string>();
    this.#at++;
    if (this.#next() !== "}") {
      do {
        this.#next();
        const start = this.#at + 1;
        const name = decoder.decode(this.bytes.subarray(start, this.#text()));
        if (names.has(name)) throw new NoForm();
        names.add(name);
        this.#next();
        this.#at++; // The colon.
        this.#inside(name);
      } while (this.#isNext(","));
    }
    this.#at++;
  }

  #list(): void {
    this.#at++;
    let index = 0;
    if (this.#next() !== "]") { do this.#inside(index++); while (this.#isNext(",")); }
    this.#at++;
  }

  #inside(step: string | number): void {
    this.#path.push(step);
    if (this.#path.length > MAX_DEPTH) throw new NoForm();
    this.#value();
    this.#path.pop();
  }

  /** Goes past a text; gives where it ends. */
  #text(): number {
    const end = textEnd(this.bytes, this.#at + 1);
    if (end < 0) throw new NoForm();
    this.#at = end + 1;
    return end;
  }

  /** Goes past this character where it is the next. */
  #isNext(character: string): boolean {
    if (this.#next() !== character) return false;
    this.#at++;
    return true;
  }

  /** The character at the next place that is no white space. */
  #next(): string {
    while (this.bytes[this.#at]! <= 0x20) this.#at++;
    return String.fromCharCode(this.bytes[this.#at]!);
  }
}
