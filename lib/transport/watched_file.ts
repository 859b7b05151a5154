import { logger } from "../log.ts";
import { sleep } from "../timing.ts";

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
 * Reads a file, and again whenever it changes. One that is away or wrong is said once, and leaves what was taken before
 * as it is.
 */
export class WatchedFile implements AsyncDisposable {
  readonly #options: WatchedFileOptions;
  readonly #stop = new AbortController();
  readonly #log = logger("transport");
  readonly #running: Promise<void>;
  #version: string | undefined;
  #problem: string | undefined;

  constructor(options: WatchedFileOptions) {
    this.#options = options;
    this.#running = this.#run(AbortSignal.any([options.signal, this.#stop.signal]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal);
      await sleep(this.#options.rereadMs ?? 2_000, { signal });
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    let text: string;
    try {
      const version = await this.#versionNow();
      if (version === this.#version) return;
      text = await Deno.readTextFile(this.#options.path);
      this.#version = version;
    } catch (error) {
      this.#version = undefined;
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

  /** Another one when the file is; links are followed, since Kubernetes puts a new file behind one. */
  async #versionNow(): Promise<string> {
    const { mtime, size, ino } = await Deno.stat(this.#options.path);
    if (size > MAX_BYTES) throw new Error(`${size} bytes, more than ${MAX_BYTES}`);
    return `${mtime?.getTime()} ${size} ${ino}`;
  }

  #say(problem: string | undefined): void {
    if (problem === this.#problem) return;
    const { path, what } = this.#options;
    if (problem !== undefined) this.#log.warn(`Cannot read ${what}, trying again`, { path, cause: problem });
    else this.#log.info(`Reading ${what}`, { path });
    this.#problem = problem;
  }
}
