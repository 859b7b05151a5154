/** When to say that nobody answers: at once, then ever less often up to once a minute, until somebody does. */
export class AbsenceReport {
  #waitMs = FIRST_WAIT_MS;
  #nextAtMs: number | undefined;
  #present: boolean | undefined;

  /** Takes note of a round; tells what is to be said now, if anything. `nowMs` is monotonic. */
  note(anybody: boolean, nowMs: number): "absent" | "present" | undefined {
    const before = this.#present;
    this.#present = anybody;
    if (anybody) {
      this.#nextAtMs = undefined;
      return before === true ? undefined : "present";
    }
    if (this.#nextAtMs === undefined) this.#waitMs = FIRST_WAIT_MS;
    else if (nowMs < this.#nextAtMs) return undefined;
    this.#nextAtMs = nowMs + this.#waitMs;
    this.#waitMs = Math.min(this.#waitMs * 2, MAX_WAIT_MS);
    return "absent";
  }
}

const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;
