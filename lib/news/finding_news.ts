import { FINDING_CODES, FINDING_KINDS, type FindingCode } from "../findings/codes.ts";
import { findingsOf } from "../findings/findings.ts";
import type { Snapshot } from "../fleet/snapshot.ts";
import { logger } from "../log.ts";
import type { Snapshots } from "./log_news.ts";

/** Findings whose workers the log names in lines of their own. */
const TOLD_BY_OTHERS: ReadonlySet<FindingCode> = new Set([
  ...["worker_silent", "worker_lost"] as const, // worker_news.ts
  ...["worker_stuck", "rank_silent", "coverage_partial"] as const, // rank_news.ts
  ...["nobody_registered", "nobody_answers", "nothing_heard"] as const, // presence_news.ts
]);
const CODES = FINDING_CODES.filter((code) =>
  !TOLD_BY_OTHERS.has(code) && FINDING_KINDS[code].severity !== "info"
);

/** What lasts so long is told: connections blink, and workers that start are heard one by one. */
const SETTLES_MS = 3_000;
const SETTLE_MS: { readonly [Code in FindingCode]?: number } = {
  publisher_unreachable: 0, // It is found after three seconds.
  worker_unheard: 30_000,
  worker_without_load: 30_000,
  requests_waiting: 30_000,
};
/** What comes back within this time is the same. */
const ENDS_MS = 5_000;

/** What began or ended. */
export interface FindingNews {
  readonly code: FindingCode;
  readonly begins: boolean;
  /** How many there are, and of the first what is the matter and why, or what to do. */
  readonly count: number;
  readonly text?: string | undefined;
  readonly hint?: string | undefined;
}

interface Known {
  readonly sinceMs: number;
  seenMs: number;
  isTold: boolean;
}

/** Compares the findings of one Snapshot with those before: a code is told once when it comes, and once when it is over. */
export class NewsOfFindings {
  readonly #known = new Map<FindingCode, Known>();

  note(snapshot: Snapshot): FindingNews[] {
    const { listed, counts } = findingsOf(snapshot);
    const nowMs = snapshot.at.monotonicMs;
    return CODES.flatMap((code): FindingNews[] => {
      const count = counts.get(code)!;
      if (count === 0) return this.#isOver(code, nowMs) ? [{ code, begins: false, count }] : [];
      const known = this.#known.getOrInsertComputed(
        code,
        () => ({ sinceMs: nowMs, seenMs: nowMs, isTold: false }),
      );
      known.seenMs = nowMs;
      if (known.isTold || nowMs - known.sinceMs < (SETTLE_MS[code] ?? SETTLES_MS)) return [];
      known.isTold = true;
      const first = listed.find((finding) => finding.code === code);
      return [{ code, begins: true, count, text: first?.text, hint: first?.hint }];
    });
  }

  #isOver(code: FindingCode, nowMs: number): boolean {
    const known = this.#known.get(code);
    if (known === undefined || known.isTold && nowMs - known.seenMs < ENDS_MS) return false;
    this.#known.delete(code);
    return known.isTold;
  }
}

export function logNewsOfFindings(snapshots: Snapshots): Disposable {
  const news = new NewsOfFindings();
  return snapshots.subscribe((snapshot) => {
    for (const { code, begins, count, text, hint } of news.note(snapshot)) {
      if (begins) {
        logger().warn(`Found: ${text ?? FINDING_KINDS[code].meaning}`, { finding: code, count, hint });
      } else logger().info("No longer found", { finding: code });
    }
  });
}
