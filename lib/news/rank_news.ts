import { targetPath } from "../dynamo/target.ts";
import { MAX_NAMED, type WorkerId } from "../dynamo/worker_id.ts";
import type { FindingCode } from "../findings/codes.ts";
import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import { partialText, stuckText } from "../fleet/worker_texts.ts";
import { logger } from "../log.ts";
import type { Snapshots } from "./log_news.ts";

/** What may be wrong with a worker that responds. */
const TROUBLES = ["stuck", "silent_rank", "partial"] as const;
type Trouble = typeof TROUBLES[number];

/** Something that began or ended: of what, and a few words of it. */
export interface TroubleNews {
  readonly trouble: Trouble;
  readonly begins: boolean;
  /** Of many only the first are named. */
  readonly names: readonly string[];
  readonly count: number;
  /** Of the first: "8 requests in flight, no forward pass for 10 s". */
  readonly text: string;
}

const STUCK: FindingCode = "worker_stuck";
const SILENT_RANK: FindingCode = "rank_silent";
const PARTIAL: FindingCode = "coverage_partial";

/** Ranks of a worker come one after the other: only what lasts so long is told. */
const SETTLE_MS: Readonly<Record<Trouble, number>> = { stuck: 0, silent_rank: 0, partial: 5_000 };
/** A page that is late once is no end: what comes back within this time is the same trouble. */
const ENDS_MS = 5_000;

interface Known {
  readonly name: string;
  readonly text: string;
  readonly sinceMs: number;
  /** When it was last there. */
  seenMs: number;
  isTold: boolean;
}

/** Compares one Snapshot's workers with the next: what is stuck, which ranks are silent, whose numbers are of some ranks. */
export class NewsOfRanks {
  #known: ReadonlyMap<Trouble, ReadonlyMap<string, Known>> = new Map();

  /** Takes note of a fleet; gives what is to be told now. `nowMs` is monotonic. */
  note(workers: readonly WorkerSnapshot[], nowMs: number): TroubleNews[] {
    const found = findTroubles(workers);
    const next = new Map<Trouble, Map<string, Known>>();
    const news: TroubleNews[] = [];
    for (const trouble of TROUBLES) {
      const before = this.#known.get(trouble);
      const now = found.get(trouble);
      if (before === undefined && now === undefined) continue;
      const known = new Map<string, Known>();
      for (const [name, text] of now ?? []) {
        known.set(name, { sinceMs: nowMs, isTold: false, ...before?.get(name), seenMs: nowMs, name, text });
      }
      const ended: Known[] = [];
      for (const one of before?.values() ?? []) {
        if (known.has(one.name) || !one.isTold) continue;
        if (nowMs - one.seenMs < ENDS_MS) known.set(one.name, one);
        else ended.push(one);
      }
      const begun = [...known.values()].filter(({ isTold, sinceMs }) =>
        !isTold && nowMs - sinceMs >= SETTLE_MS[trouble]
      );
      for (const one of begun) one.isTold = true;
      if (begun.length > 0) news.push(newsOf(trouble, true, begun));
      if (ended.length > 0) news.push(newsOf(trouble, false, ended));
      if (known.size > 0) next.set(trouble, known);
    }
    this.#known = next;
    return news;
  }
}

function newsOf(trouble: Trouble, begins: boolean, all: readonly Known[]): TroubleNews {
  const names = all.slice(0, MAX_NAMED).map(({ name }) => name);
  return { trouble, begins, names, count: all.length, text: all[0]!.text };
}

/** By trouble what has it, with a few words. */
function findTroubles(workers: readonly WorkerSnapshot[]): ReadonlyMap<Trouble, ReadonlyMap<string, string>> {
  const found = new Map<Trouble, Map<string, string>>();
  const add = (trouble: Trouble, name: string, text: string) =>
    void found.getOrInsertComputed(trouble, () => new Map()).set(name, text);
  for (const { id, ranks, coverage, stuckSeconds, numbers } of workers) {
    if (stuckSeconds !== undefined) add("stuck", id, stuckText(numbers.requestsInFlight ?? 0, stuckSeconds));
    for (const { dpRank, isSilent } of ranks) if (isSilent) add("silent_rank", nameOf(id, dpRank), "");
    const partial = coverage && coverage.heard > 0
      ? partialText(coverage.heard, coverage.expected)
      : undefined;
    if (partial !== undefined) add("partial", id, partial);
  }
  return found;
}

function nameOf(id: WorkerId, dpRank: number): string {
  return `${id} rank ${dpRank}`;
}

/** Logs what is wrong with workers that respond, until the result is disposed of. */
export function logNewsOfRanks(
  snapshots: Snapshots,
): Disposable {
  const news = new Map<string, NewsOfRanks>();
  const log = logger();
  return snapshots.subscribe(({ targets, at }) => {
    for (const { target, workers } of targets) {
      const path = targetPath(target);
      const ofTarget = news.getOrInsertComputed(path, () => new NewsOfRanks());
      for (const { trouble, begins, names, count, text } of ofTarget.note(workers, at.monotonicMs)) {
        const who = names.join(", ") + (count > names.length ? ", …" : "");
        const workers = { workers: count, ids: who };
        switch (trouble) {
          case "stuck":
            if (!begins) log.info(`Workers no longer stuck at ${path}, or gone`, workers);
            else if (count === 1) {
              log.warn(`Worker stuck at ${path}: ${text}`, { worker: who, finding: STUCK });
            } else log.warn(`Workers stuck at ${path}, the first: ${text}`, { ...workers, finding: STUCK });
            break;
          case "silent_rank":
            if (begins) log.warn(`Ranks silent at ${path}`, { ranks: count, of: who, finding: SILENT_RANK });
            else log.info(`Silent ranks back at ${path}, or gone`, { ranks: count, of: who });
            break;
          case "partial":
            if (begins) {
              log.warn(`Numbers of workers at ${path} are over ${text}`, { ...workers, finding: PARTIAL });
            } else log.info(`Numbers of workers at ${path} are over all ranks again, or gone`, workers);
            break;
        }
      }
    }
  });
}
