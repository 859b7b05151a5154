import { join } from "node:path";

/** The time that a touch writes into a file; undefined for a file that nobody touches any more. */
export type TouchedAt = (path: string) => Date | undefined;

const TOUCH_MS = 500;

/**
 * Touches the files two folders below a folder, as the processes of Dynamo do whose keys they are, until it is disposed of.
 * Whatever is not there at the moment is passed over.
 */
export class KeptFiles implements AsyncDisposable {
  readonly #timer: ReturnType<typeof setInterval>;
  #touching: Promise<void>;

  private constructor(folder: string, touchedAt: TouchedAt, first: Promise<void>) {
    this.#touching = first;
    this.#timer = setInterval(() => {
      this.#touching = this.#touching.then(() => touchAll(folder, touchedAt));
    }, TOUCH_MS);
  }

  /** The files are touched for the first time when this resolves. */
  static async start(folder: string, touchedAt: TouchedAt = () => new Date()): Promise<KeptFiles> {
    const first = touchAll(folder, touchedAt);
    await first;
    return new KeptFiles(folder, touchedAt, first);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#touching;
  }
}

async function touchAll(folder: string, touchedAt: TouchedAt, depth = 0): Promise<void> {
  try {
    for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
      const path = join(folder, name);
      if (isDirectory && depth < 2) await touchAll(path, touchedAt, depth + 1);
      const at = isFile ? touchedAt(path) : undefined;
      if (at !== undefined) await Deno.utime(path, at, at);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
