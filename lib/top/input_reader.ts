/** What has come of a sequence that is not whole yet. */
type State =
  | { readonly at: "text" }
  /** An ESC has come. It was `told` as a key when nothing followed it for a moment. */
  | { readonly at: "escape"; readonly told: boolean }
  /** `ESC [` or `ESC O` and parameters: a key, or a short reply. */
  | { readonly at: "sequence"; readonly text: string }
  /** A string for programs, until BEL or ST; its ST has begun if `isEnding`. */
  | { readonly at: "string"; readonly isEnding: boolean };

const TEXT: State = { at: "text" };

/** What comes after ESC begins a string: DCS, SOS, OSC, PM, APC (ECMA-48, 5.6 and 8.3). */
const STRINGS = "PX]^_";

/** For how long an ESC that nothing follows may be the beginning of a sequence, until it is the key. */
export const ESCAPE_MS = 30;
/** For how long the rest of a sequence is waited for: over a slow line it comes in pieces. */
export const REST_MS = 3_000;

/**
 * Takes what a terminal says apart: keys go through, sequences only as a whole, and the strings by which a terminal
 * answers programs not at all. Ink would take a piece of any for typed text, and knows nothing of strings.
 */
export class InputReader {
  #state: State = TEXT;

  /** How long to wait for more until `rest` is called; undefined where nothing is waited for. */
  get waitMs(): number | undefined {
    const { at } = this.#state;
    if (at === "text") return undefined;
    return at === "escape" && !this.#state.told ? ESCAPE_MS : REST_MS;
  }

  /** What of it keys are made of. */
  push(text: string): string {
    let keys = "";
    for (const char of text) keys += this.#take(char);
    return keys;
  }

  /** Nothing has come for `waitMs`: an ESC alone is the key, but what comes next may still belong to it. */
  rest(): string {
    const state = this.#state;
    const isKey = state.at === "escape" && !state.told;
    this.#state = isKey ? { at: "escape", told: true } : TEXT;
    return isKey ? ESC : "";
  }

  #take(char: string): string {
    const state = this.#state;
    switch (state.at) {
      case "text":
        return this.#takeText(char);
      case "escape":
        return this.#takeAfterEscape(char, state.told);
      case "sequence":
        return this.#takeSequence(char, state.text);
      case "string":
        return this.#takeString(char, state.isEnding);
    }
  }

  #takeText(char: string): string {
    this.#state = char === ESC ? { at: "escape", told: false } : TEXT;
    return char === ESC ? "" : char;
  }

  #takeAfterEscape(char: string, told: boolean): string {
    if (STRINGS.includes(char)) {
      this.#state = { at: "string", isEnding: false };
      return "";
    }
    if (char === "[" || char === "O" && !told) {
      this.#state = { at: "sequence", text: ESC + char };
      return "";
    }
    this.#state = TEXT;
    const before = told ? "" : ESC;
    return char === ESC ? before + this.#takeText(char) : before + char;
  }

  #takeSequence(char: string, before: string): string {
    if (isControl(char)) return this.#takeText(char);
    const text = before + char;
    // `ESC [ [ A` is F1 of the Linux console, `ESC [ 7 $` a key of rxvt.
    const isWhole = /[@-Z\\-~]$/.test(text.slice(2)) || /^\[[235678]\$$/.test(text.slice(1)) || char > "~";
    this.#state = isWhole ? TEXT : { at: "sequence", text };
    return isWhole ? text : "";
  }

  #takeString(char: string, isEnding: boolean): string {
    if (isEnding) {
      this.#state = TEXT;
      return char === "\\" ? "" : this.#takeAfterEscape(char, true);
    }
    if (char === ESC) {
      this.#state = { at: "string", isEnding: true };
      return "";
    }
    if (char === BEL || char === ST) {
      this.#state = TEXT;
      return "";
    }
    // No string has other controls: it was cut off, and this is a key.
    return isControl(char) ? this.#takeText(char) : "";
  }
}

const ESC = "\x1b";
const BEL = "\x07";
const ST = "\x9c";

function isControl(char: string): boolean {
  return char < " " || char === "\x7f";
}
