import { logger } from "../log.ts";
import { sleep } from "../timing.ts";
import { fileState, readRegularFile } from "./regular_file.ts";

export interface WatchedFileOptions {
  readonly path: string;
  /** What the file is, for the log. */
  readonly what: string;
  /** Takes the text each time that the file is another; a throw's message says what is wrong with it. */
  readonly onText: (text: string) => void;
  readonly signal: AbortSignal;
  /** How often it is looked at. */
  readonly rereadMs?: number;
}

const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads a regular file, and again whenever it changes. One that is away or wrong is said once, and leaves what was taken
 * before as it is. Disposal does not wait for a read under way, which may never end; nothing is taken after it.
 */
export class WatchedFile implements Disposable {
  readonly #options: WatchedFileOptions;
  readonly #stop = new AbortController();
  readonly #log = logger("transport");
  #version: string | undefined;
  #problem: string | undefined;

  constructor(options: WatchedFileOptions) {
    this.#options = options;
    this.#run(AbortSignal.any([options.signal, this.#stop.signal]));
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal);
      await sleep(this.#options.rereadMs ?? 2_000, { signal });
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { path } = this.#options;
    let text: string;
    try {
      const { version } = await fileState(path, { maxBytes: MAX_BYTES });
      if (version === this.#version) return;
      text = await readRegularFile(path, { maxBytes: MAX_BYTES });
      this.#version = version;
    } catch (error) {
      this.#version = undefined;
      if (signal.aborted) return;
      return this.#say((error as Error).message);
    }
    if (signal.aborted) return;
    try {
      this.#options.onText(text);
    } catch (error) {
      return this.#say((error as Error).message);
    }
    this.#say(undefined);
  }

  #say(problem: string | undefined): void {
    if (problem === this.#problem) return;
    const { path, what } = this.#options;
    if (problem !== undefined) this.#log.warn(`Cannot read ${what}, trying again`, { path, cause: problem });
    else this.#log.info(`Reading ${what}`, { path });
    this.#problem = problem;
  }
}
