/** Time for everything that waits: one clock, sleeps that end when told, back-off with jitter. */

import { setImmediate } from "node:timers";

/** One moment on both clocks: `monotonicMs` for durations and order, `epochMs` for what people read. */
export interface Instant {
  readonly monotonicMs: number;
  readonly epochMs: number;
}

/** Tells the time. A wall clock that is set back or forth moves `epochMs` alone. */
export type Clock = () => Instant;

export const systemClock: Clock = () => ({ monotonicMs: performance.now(), epochMs: Date.now() });

/** A clock that gives one moment to all that is done until the next microtask runs, since reading it costs. */
export function turnClock(clock: Clock): Clock {
  let now: Instant | undefined;
  return () => {
    if (now === undefined) {
      now = clock();
      queueMicrotask(() => now = undefined);
    }
    return now;
  };
}

/**
 * Calls `act` when `signal` is aborted, at once if it is. To be disposed by whoever ends before the signal does: a
 * program's signal lives as long as the program, and keeps all that listens to it.
 */
export function onAbort(signal: AbortSignal, act: () => void): Disposable {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act);
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", act) };
}

/** A signal that is aborted with `reason` after `ms`, and when `outer` is. To be disposed of when the work is done. */
export class Deadline implements Disposable {
  readonly #end = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #outer: Disposable | undefined;

  constructor(
    options: { readonly ms: number; readonly reason: unknown; readonly outer?: AbortSignal | undefined },
  ) {
    const { ms, reason, outer } = options;
    this.#timer = setTimeout(() => this.#end.abort(reason), ms);
    this.#outer = outer && onAbort(outer, () => this.#end.abort());
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.[Symbol.dispose]();
  }
}

/** Waits `ms` milliseconds, or until `signal` is aborted; never rejects. */
export async function sleep(ms: number, { signal }: { signal: AbortSignal }): Promise<void> {
  await new Alarm().sleep(ms, { signal });
}

/** A sleep that can be ended from outside; a ring while nobody sleeps ends the next sleep. */
export class Alarm {
  #rung = false;
  #wake = () => {};

  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  /** True when it was the ring that ended the sleep. `Infinity` waits for nothing else, but for an abort. */
  async sleep(ms: number, { signal }: { signal: AbortSignal }): Promise<boolean> {
    if (!this.#rung) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = ms === Infinity ? undefined : setTimeout(resolve, ms);
      using _ = onAbort(signal, resolve);
      await promise;
      clearTimeout(timer);
    }
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }
}

/** Times that are `periodMs` apart, the first now; those that have passed when the next is asked for are left out. */
export class Cadence {
  #dueMs: number;

  constructor(private readonly periodMs: number, nowMs: number) {
    this.#dueMs = nowMs;
  }

  /** How long to wait for the next time. */
  next(nowMs: number): number {
    this.#dueMs += this.periodMs * Math.max(1, Math.ceil((nowMs - this.#dueMs) / this.periodMs));
    return this.#dueMs - nowMs;
  }

  /** The next time is a period after this. */
  restart(nowMs: number): void {
    this.#dueMs = nowMs;
  }
}

/** A time without a break, on the monotonic clock. */
export interface Span {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** The time since which something happened again and again, never more than `maxGapMs` apart. */
export class Streak {
  #sinceMs: number;
  #untilMs: number;

  constructor(private readonly maxGapMs: number, nowMs: number) {
    this.#sinceMs = nowMs;
    this.#untilMs = nowMs;
  }

  get span(): Span {
    return { sinceMs: this.#sinceMs, untilMs: this.#untilMs };
  }

  /** It happened. */
  note(nowMs: number): void {
    if (nowMs - this.#untilMs > this.maxGapMs) this.#sinceMs = nowMs;
    this.#untilMs = nowMs;
  }
}

/** Rejects with a `TimeoutError` naming `what` when `promise` has not settled within `ms`. */
export async function within<T>(promise: Promise<T>, options: { ms: number; what: string }): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DOMException(`${options.what} took longer than ${options.ms} ms`, "TimeoutError")),
      options.ms,
    );
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long to wait between tries: each wait is twice the last, up to `maxMs`. */
export interface BackOffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Waits that grow from `firstMs` to `maxMs`, each shortened by up to a fifth at random so that clients spread. */
export class BackOff {
  #nextMs: number;

  constructor(private readonly limits: BackOffLimits) {
    this.#nextMs = limits.firstMs;
  }

  /** The wait before the next try, in milliseconds. */
  next(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(ms * 2, this.limits.maxMs);
    return ms * (1 - 0.2 * Math.random());
  }

  reset(): void {
    this.#nextMs = this.limits.firstMs;
  }
}

/** How long all sliced work together holds the event loop at once, and how long it keeps sockets waiting. */
const SLICE_MS = 4;
const SOCKETS_MS = 10;

/** A slice of the event loop's time, and who waits for the next one. */
class Slices {
  readonly #waiting: (() => void)[] = [];
  #isOpen = false;
  #endMs = 0;
  #socketsSinceMs = 0;

  /** Undefined while there is time left. */
  next(): Promise<void> | undefined {
    if (!this.#isOpen && this.#waiting.length === 0) this.#open({ afterSockets: true });
    if (this.#isOpen && performance.now() < this.#endMs) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #open({ afterSockets }: { readonly afterSockets: boolean }): void {
    const nowMs = performance.now();
    this.#isOpen = true;
    this.#endMs = nowMs + SLICE_MS;
    if (afterSockets) this.#socketsSinceMs = nowMs;
    setImmediate(() => this.#close());
  }

  /**
   * The next slice is after what is ready, but for sockets: Deno looks at those only when it waits for something, and else at
   * every 61st turn. A timer makes it wait, a millisecond, so it is not used each time.
   */
  #close(): void {
    this.#isOpen = false;
    if (this.#waiting.length === 0) return;
    const afterSockets = performance.now() - this.#socketsSinceMs >= SOCKETS_MS;
    const begin = () => {
      this.#open({ afterSockets });
      this.#waiting.shift()!();
    };
    if (afterSockets) setTimeout(begin);
    else setImmediate(begin);
  }
}

const slices = new Slices();

/**
 * For work that takes long, to be awaited every fraction of a millisecond: lets everything else have its turn when all such
 * work has held the loop for 4 ms, and sockets after 10 ms. Those that wait go on one after the other.
 */
export function giveWay(): Promise<void> | undefined {
  return slices.next();
}

/** What a generator returns in the end, with a chance for everything else at each of its yields. */
export async function inSlices<Result>(parts: Generator<void, Result, void>): Promise<Result> {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
    await giveWay();
  }
}
