import type { Instant } from "../timing.ts";

/** A timer may end a little early: this part of a step. */
const EARLY = 0.1;

/** Where the last `capacity` steps of a fixed length stand in a ring. */
export class Steps {
  #since: Instant | undefined;
  #newest = -1;
  #to: Instant;

  /** @param begun when there was no step yet */
  constructor(readonly stepMs: number, readonly capacity: number, begun: Instant) {
    this.#to = begun;
  }

  /** When the newest step was taken; before the first, when this began. */
  get to(): Instant {
    return this.#to;
  }

  /**
   * Takes the step of this moment, the first at any. `at` is its position; at those of steps that were left out since the
   * last one there is nothing.
   */
  take(now: Instant): { readonly at: number; readonly leftOut: readonly number[] } {
    this.#since ??= now;
    const passed = (now.monotonicMs - this.#since.monotonicMs) / this.stepMs;
    const step = Math.max(this.#newest, Math.floor(passed + EARLY));
    const leftOut = this.#range(this.#newest + 1, step);
    this.#newest = step;
    this.#to = now;
    return { at: step % this.capacity, leftOut };
  }

  /** The positions of the steps that are there, oldest first. */
  positions(): number[] {
    return this.#range(0, this.#newest + 1);
  }

  /** The positions of the steps from one to the one before another, as far as they fit. */
  #range(from: number, end: number): number[] {
    const first = Math.max(from, end - this.capacity);
    return Array.from({ length: Math.max(0, end - first) }, (_, n) => (first + n) % this.capacity);
  }
}
