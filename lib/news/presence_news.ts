import { targetPath } from "../dynamo/target.ts";
import type { FindingCode } from "../findings/codes.ts";
import { findingsOf } from "../findings/findings.ts";
import { logger } from "../log.ts";
import type { Snapshots } from "./log_news.ts";

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

const ABSENT = ["nobody_registered", "nobody_answers"] as const satisfies readonly FindingCode[];
const UNHEARD: FindingCode = "nothing_heard";

/** Logs of each target whether there are workers, and whether any was heard, until the result is disposed of. */
export function logPresence(snapshots: Snapshots): Disposable {
  const reports = new Map<string, AbsenceReport>();
  return snapshots.subscribe((snapshot) => {
    const { countsOf } = findingsOf(snapshot);
    for (const { target, workers: { length: workers }, registeredInstead } of snapshot.targets) {
      const path = targetPath(target);
      const counts = countsOf.get(path);
      const absent = ABSENT.find((code) => counts?.has(code));
      if (absent === undefined && workers === 0) continue; // It is not known yet, or not any more.
      const presence = absent !== undefined ? "absent" : counts?.has(UNHEARD) ? "unheard" : "present";
      const report = reports.getOrInsertComputed(path, () => new AbsenceReport());
      switch (report.note(presence, snapshot.at.monotonicMs)) {
        case "absent": {
          const instead = registeredInstead.length === 0 ? {} : { registered: registeredInstead.join(",") };
          logger().warn(`No endpoints found matching ${path}`, { ...instead, finding: absent });
          break;
        }
        case "unheard":
          logger().warn(`Workers are registered at ${path}, and nothing was heard of them`, {
            workers,
            finding: UNHEARD,
          });
          break;
        case "present":
          logger().info(`Found workers at ${path}`, { workers });
      }
    }
  });
}
