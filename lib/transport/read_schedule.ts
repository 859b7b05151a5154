/** Connections are woken in so many groups, one after the other: all at once would hold up the event loop. */
const GROUPS = 16;
/** The shortest interval, and how many connections are read in a second at most. */
const MIN_INTERVAL_MS = 200;
const MAX_READS_A_SECOND = 10_000;

/** A connection's place in a `ReadSchedule`, given back by disposal. */
export interface ReadTurn extends Disposable {
  /** Calls `resume`, once, when the connection may be read again. */
  next(resume: () => void): void;
}

/**
 * When many connections are read: each a few times a second, the less often the more there are. What comes meanwhile waits in
 * the kernel. One timer wakes all of them, group by group: a timer for each connection would cost more than reading it.
 */
export class ReadSchedule {
  readonly #minIntervalMs: number;
  readonly #groups: (() => void)[][] = Array.from({ length: GROUPS }, () => []);
  #connections = 0;
  #waiting = 0;
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ minIntervalMs = MIN_INTERVAL_MS }: { readonly minIntervalMs?: number } = {}) {
    this.#minIntervalMs = minIntervalMs;
  }

  /** From one turn of a connection to the next. */
  get intervalMs(): number {
    return Math.max(this.#minIntervalMs, 1_000 * this.#connections / MAX_READS_A_SECOND);
  }

  enter(): ReadTurn {
    const group = this.#connections++ % GROUPS;
    return {
      next: (resume) => {
        this.#groups[group]!.push(resume);
        this.#waiting++;
        this.#timer ??= this.#wait();
      },
      [Symbol.dispose]: () => void this.#connections--,
    };
  }

  #wait(): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#last = (this.#last + 1) % GROUPS;
      const woken = this.#groups[this.#last]!;
      this.#groups[this.#last] = [];
      this.#waiting -= woken.length;
      this.#timer = this.#waiting > 0 ? this.#wait() : undefined;
      for (const resume of woken) resume();
    }, this.intervalMs / GROUPS);
  }
}
