import process from "node:process";
import { PassThrough } from "node:stream";
import { InputReader } from "./input_reader.ts";
import { isInForeground } from "./job.ts";

/** What to do at keys that are no matter of the view, by the character that they send. */
export type Commands = Readonly<Record<string, () => void>>;

/** What is typed at the terminal, as Ink reads it: keys alone, without what the terminal answers to programs. */
export class Keyboard extends PassThrough {
  readonly isTTY = true;
  readonly #reader = new InputReader();
  readonly #commands: Commands;
  #isRaw = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(commands: Commands) {
    super();
    this.#commands = commands;
    process.stdin.setEncoding("utf8");
    process.stdin.on("error", () => {}); // The terminal is gone: a signal says so too.
  }

  /** As Ink wants it: keys come one by one, unseen, from then on. */
  setRawMode(isRaw: boolean): this {
    if (isRaw === this.#isRaw) return this;
    this.#isRaw = isRaw;
    setRaw(isRaw);
    if (isRaw) process.stdin.on("data", this.#take);
    else {
      process.stdin.off("data", this.#take);
      process.stdin.pause();
      clearTimeout(this.#timer);
    }
    return this;
  }

  /** Gives the terminal's own ways with keys back for a while. */
  release(): void {
    if (this.#isRaw) setRaw(false);
  }

  /** Takes them again, whatever others made of them. */
  renew(): void {
    if (!this.#isRaw) return;
    setRaw(false);
    setRaw(true);
  }

  ref(): void {
    process.stdin.ref();
  }

  unref(): void {
    process.stdin.unref();
  }

  readonly #take = (text: string): void => this.#pass(this.#reader.push(text));

  #pass(keys: string): void {
    let typed = "";
    for (const char of keys) {
      const command = this.#commands[char];
      if (command === undefined) typed += char;
      else command();
    }
    if (typed !== "") this.write(typed);
    clearTimeout(this.#timer);
    const { waitMs } = this.#reader;
    if (waitMs !== undefined) this.#timer = setTimeout(() => this.#pass(this.#reader.rest()), waitMs);
  }
}

/** From the background the terminal is another's: whoever changes it there is stopped. */
function setRaw(isRaw: boolean): void {
  if (!isInForeground()) return;
  try {
    Deno.stdin.setRaw(isRaw);
  } catch {
    // The terminal is gone.
  }
}
