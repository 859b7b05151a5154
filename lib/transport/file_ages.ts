import type { Instant } from "../timing.ts";

export interface FileAgesOptions {
  /** How old a file may be and still count. */
  readonly expiresAfterMs: number;
  /** The most that one reading of the folder adds to an age, however long ago the last one was. */
  readonly maxStepMs: number;
}

interface FileAge {
  /** The time that the file carries. */
  readonly touchedMs: number;
  readonly ageMs: number;
}

/**
 * How long ago the files of a folder were touched. Who touches a file writes a time into it by a clock that may be hours
 * away from ours, either way. So a file is young when that time is another than at the last reading, whatever it is, and
 * else its age grows by our monotonic clock. At first sight nothing else is known: a file is then as old as its time says.
 */
export class FileAges {
  readonly #options: FileAgesOptions;
  readonly #files: ReadonlyMap<string, FileAge>;
  readonly #readAt: Instant | undefined;

  constructor(
    options: FileAgesOptions,
    { files = new Map(), readAt }: {
      readonly files?: ReadonlyMap<string, FileAge>;
      readonly readAt?: Instant;
    } = {},
  ) {
    this.#options = options;
    this.#files = files;
    this.#readAt = readAt;
  }

  /**
   * The ages after a reading of the whole folder, which began at `readAt` and found files with these times (ms since
   * 1970). The time of a reading that failed counts against no file.
   */
  after(touched: ReadonlyMap<string, number>, readAt: Instant): FileAges {
    const { monotonicMs, epochMs } = readAt;
    const stepMs = Math.min(
      monotonicMs - (this.#readAt?.monotonicMs ?? monotonicMs),
      this.#options.maxStepMs,
    );
    const files = new Map<string, FileAge>();
    for (const [path, touchedMs] of touched) {
      const before = this.#files.get(path);
      const ageMs = before === undefined
        ? Math.max(0, epochMs - touchedMs)
        : before.touchedMs === touchedMs
        ? before.ageMs + stepMs
        : 0;
      files.set(path, { touchedMs, ageMs });
    }
    return new FileAges(this.#options, { files, readAt });
  }

  /** Whether the file was there at the last reading, and young enough. */
  has(path: string): boolean {
    const file = this.#files.get(path);
    return file !== undefined && file.ageMs < this.#options.expiresAfterMs;
  }
}
