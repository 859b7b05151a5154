import { asciiText } from "./ascii.ts";
import { type Color, type Line, type Span, widthOf } from "./line.ts";

export interface DisplayOptions {
  readonly colors: boolean;
  /** Whether the terminal is written to in ASCII alone. */
  readonly isAscii: boolean;
  /** Writes to the terminal; resolves when that has taken all of it, or is gone. */
  readonly write: (text: string) => Promise<void>;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
}

/** How often the whole screen is written, whatever is thought to be there: others write to a terminal too. */
const WHOLE_MS = 3_000;

/**
 * The whole screen of a terminal. Rows that changed are written where they belong, and from time to time all of them. The
 * cursor waits in the first cell, so that a stray line spoils a row and scrolls nothing.
 */
export class Display {
  readonly #options: DisplayOptions;
  #isOpen = false;
  /** What stands before the next frame. */
  #prefix = "";
  #frame: Frame | undefined;
  /** What each row was last written as. */
  #shown: readonly string[] = [];
  #columns = 0;
  #wholeAtMs = 0;
  #isWaiting = false;
  #writing: Promise<void> | undefined;

  constructor(options: DisplayOptions) {
    this.#options = options;
  }

  /** Takes the terminal, again too, and shows the last frame there is. */
  open(): void {
    this.#isOpen = true;
    this.#prefix = ALTERNATE_SCREEN;
    this.redraw();
  }

  /** Shows these lines, as many as the terminal has rows, each as wide as it has columns. */
  show(lines: readonly Line[], columns: number): void {
    this.#frame = { lines, columns };
    this.#isWaiting = true;
    if (this.#isOpen) this.#writing ??= this.#write();
  }

  /** Writes all of the last frame onto an empty screen. */
  redraw(): void {
    this.#shown = [];
    if (this.#frame) this.show(this.#frame.lines, this.#frame.columns);
  }

  /** Gives the terminal back; resolves when it is. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#writing;
    await this.#options.write(MAIN_SCREEN);
  }

  /** While a slow terminal takes a frame, newer ones replace each other. */
  async #write(): Promise<void> {
    await undefined; // Whoever called keeps the promise first.
    while (this.#isWaiting && this.#isOpen) {
      this.#isWaiting = false;
      const text = this.#next(this.#frame!);
      if (text !== "") await this.#options.write(text);
    }
    this.#writing = undefined;
  }

  /** What makes the screen show the frame. */
  #next({ lines, columns }: Frame): string {
    const nowMs = this.#options.nowMs();
    const isNew = lines.length !== this.#shown.length || columns !== this.#columns;
    const isWhole = isNew || nowMs - this.#wholeAtMs >= WHOLE_MS;
    const rows = lines.map((line) => this.#rowText(line));
    const changed = rows.flatMap((row, n) =>
      isWhole || row !== this.#shown[n] ? [`\x1b[${n + 1};1H${row}`] : []
    );
    const prefix = this.#prefix + (isWhole ? KNOWN_STATE : "") + (isNew ? EMPTY_SCREEN : "");
    this.#prefix = "";
    this.#shown = rows;
    this.#columns = columns;
    if (isWhole) this.#wholeAtMs = nowMs;
    return changed.length === 0 ? prefix : `${BEGIN}${prefix}${changed.join("")}${HOME}${END}`;
  }

  /** A row with its styles; what is blank at its end is erased. */
  #rowText(line: Line): string {
    const spans = this.#options.isAscii
      ? line.map((span) => ({ ...span, text: asciiText(span.text) }))
      : line;
    const end = spans.findLastIndex(({ text, inverse }) => inverse || text.trim() !== "");
    const last = spans[end];
    const shown = last === undefined || last.inverse
      ? spans.slice(0, end + 1)
      : [...spans.slice(0, end), { ...last, text: last.text.trimEnd() }];
    const isCut = widthOf(shown) < widthOf(spans);
    return shown.map((span) => this.#spanText(span)).join("") + (isCut ? ERASE_END : "");
  }

  #spanText({ text, color, bold, inverse }: Span): string {
    const codes = [
      ...(bold ? [1] : []),
      ...(inverse ? [7] : []),
      ...(color && this.#options.colors ? [COLORS[color]] : []),
    ];
    return codes.length === 0 ? text : `\x1b[${codes.join(";")}m${text}\x1b[m`;
  }
}

interface Frame {
  readonly lines: readonly Line[];
  readonly columns: number;
}

const COLORS: Readonly<Record<Color, number>> = { red: 31, green: 32, yellow: 33, cyan: 36, gray: 90 };

/** No cursor, and no line that is too wide goes on in the next row. */
const ALTERNATE_SCREEN = "\x1b[?1049h";
const MAIN_SCREEN = "\x1b[m\x1b[?7h\x1b[?1049l\x1b[?25h";
/** What others may have changed: scrolled region, origin, letters, style, wrapping, cursor. */
const KNOWN_STATE = "\x1b[r\x1b[?6l\x1b(B\x0f\x1b[m\x1b[?7l\x1b[?25l";
const EMPTY_SCREEN = "\x1b[2J";
const ERASE_END = "\x1b[K";
const HOME = "\x1b[H";
/** A terminal that knows these shows all between them at once. */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";
