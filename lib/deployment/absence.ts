/** Nobody is there, or nobody of those that are registered was heard, or somebody is there. */
export type Presence = "absent" | "unheard" | "present";

/**
 * When to say that nobody is there (at once) or was heard (after three seconds), then ever less often up to once a
 * minute, until somebody is.
 */
export class AbsenceReport {
  #waitMs = FIRST_WAIT_MS;
  #nextAtMs: number | undefined;
  #last: Presence | undefined;

  /** Takes note of a round; tells what is to be said now, if anything. `nowMs` is monotonic. */
  note(presence: Presence, nowMs: number): Presence | undefined {
    const before = this.#last;
    this.#last = presence;
    if (presence === "present") {
      this.#nextAtMs = undefined;
      return before === "present" ? undefined : "present";
    }
    if (this.#nextAtMs === undefined || presence !== before) {
      this.#waitMs = FIRST_WAIT_MS;
      this.#nextAtMs = nowMs + (presence === "unheard" ? PATIENCE_MS : 0);
    }
    if (nowMs < this.#nextAtMs) return undefined;
    this.#nextAtMs = nowMs + this.#waitMs;
    this.#waitMs = Math.min(this.#waitMs * 2, MAX_WAIT_MS);
    return presence;
  }
}

const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;
/** Workers that have just registered are heard within this time. */
const PATIENCE_MS = 3_000;
