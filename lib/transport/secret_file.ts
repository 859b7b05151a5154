import { logger } from "../log.ts";
import { readRegularFileSync } from "./regular_file.ts";

const MAX_BYTES = 1_048_576;

export interface SecretFileOptions {
  readonly path: string;
  /** What names the file, for the log. */
  readonly name: string;
  /** What is wrong with a text; a half-written file is no reason to forget the one before. */
  readonly problem?: (text: string) => string | undefined;
}

/**
 * A file that holds a secret, and is replaced when that is: it is read for each login. One that cannot be read, or makes no
 * sense, is said once, and the last good text stays in use. Newlines at the end do not count.
 */
export class SecretFile {
  readonly #options: SecretFileOptions;
  #good: string;
  #isBad = false;

  /** @throws {Error} when the file cannot be read, or makes no sense */
  constructor(options: SecretFileOptions) {
    this.#options = options;
    this.#good = this.#read();
  }

  /** The text as it is now, or the last good one. */
  get text(): string {
    const { name, path } = this.#options;
    try {
      this.#good = this.#read();
      if (this.#isBad) logger("transport").info("Reading the secret again", { of: name, path });
      this.#isBad = false;
    } catch (error) {
      if (!this.#isBad) {
        const fields = { of: name, path, cause: (error as Error).message };
        logger("transport").warn("Cannot read a secret again, so the last one stays in use", fields);
      }
      this.#isBad = true;
    }
    return this.#good;
  }

  #read(): string {
    const { path, problem } = this.#options;
    const text = withoutNewlines(readRegularFileSync(path, { maxBytes: MAX_BYTES }));
    const wrong = text === "" ? "is empty" : isBinary(text) ? "is no text" : problem?.(text);
    if (wrong !== undefined) throw new Error(wrong);
    return text;
  }
}

/** What no secret has: what is not UTF-8 (it was replaced while reading), and control characters but tabs and line ends. */
function isBinary(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /[\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text);
}

/** What editors and shells put at the end of a secret is no part of it. */
export function withoutNewlines(text: string): string {
  return text.replace(/[\r\n]+$/, "");
}
