import { targetPath } from "../dynamo/target.ts";
import { compareWorkerIds, MAX_NAMED, type WorkerId, workerIdsText } from "../dynamo/worker_id.ts";
import type { FindingCode } from "../findings/codes.ts";
import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import { logger } from "../log.ts";
import type { Snapshots } from "./log_news.ts";

/** What may become of a worker that was seen. */
const FATES = ["silent", "back", "gone"] as const;
type Fate = typeof FATES[number];

/** Some workers of one fate. Of many only the first are named. */
export interface WorkerNews {
  readonly fate: Fate;
  readonly workers: number;
  readonly ids: readonly WorkerId[];
  /** How many of those that are gone had fallen silent: they were lost. */
  readonly lost: number;
}

/** What belongs together comes within so long, and no fate is told more often than this, whatever workers do. */
const GATHER_MS = 1_000;
const PAUSE_MS = 10_000;

const SILENT: FindingCode = "worker_silent";
const LOST: FindingCode = "worker_lost";

interface Gathered {
  readonly sinceMs: number;
  workers: number;
  lost: number;
  readonly ids: WorkerId[];
}

/** Compares one fleet with the next; tells what became of its workers, of many at once in one piece. */
export class NewsOfWorkers {
  #before: readonly WorkerSnapshot[] = [];
  readonly #gathered = new Map<Fate, Gathered>();
  readonly #toldMs = new Map<Fate, number>();

  /** Takes note of a fleet, its workers ordered by id; gives what is to be told now. `nowMs` is monotonic. */
  note(workers: readonly WorkerSnapshot[], nowMs: number): WorkerNews[] {
    if (workers !== this.#before) this.#compare(workers, nowMs);
    this.#before = workers;
    return FATES.flatMap((fate) => this.#take(fate, nowMs) ?? []);
  }

  #compare(workers: readonly WorkerSnapshot[], nowMs: number): void {
    let next = 0;
    for (const { id, hasFallenSilent } of this.#before) {
      while (next < workers.length && compareWorkerIds(workers[next]!.id, id) < 0) next++;
      const worker = workers[next]?.id === id ? workers[next] : undefined;
      if (worker === undefined) this.#gather("gone", { id, nowMs, isLost: hasFallenSilent });
      else if (worker.hasFallenSilent && !hasFallenSilent) this.#gather("silent", { id, nowMs });
      else if (!worker.hasFallenSilent && hasFallenSilent) this.#gather("back", { id, nowMs });
    }
  }

  #gather(
    fate: Fate,
    { id, nowMs, isLost = false }: {
      readonly id: WorkerId;
      readonly nowMs: number;
      readonly isLost?: boolean;
    },
  ): void {
    let gathered = this.#gathered.get(fate);
    if (gathered === undefined) {
      this.#gathered.set(fate, gathered = { sinceMs: nowMs, workers: 0, lost: 0, ids: [] });
    }
    gathered.workers++;
    if (isLost) gathered.lost++;
    if (gathered.ids.length < MAX_NAMED) gathered.ids.push(id);
  }

  #take(fate: Fate, nowMs: number): WorkerNews | undefined {
    const gathered = this.#gathered.get(fate);
    if (gathered === undefined || nowMs - gathered.sinceMs < GATHER_MS) return undefined;
    if (nowMs - (this.#toldMs.get(fate) ?? -Infinity) < PAUSE_MS) return undefined;
    this.#gathered.delete(fate);
    this.#toldMs.set(fate, nowMs);
    return { fate, workers: gathered.workers, ids: gathered.ids, lost: gathered.lost };
  }
}

/** Logs what becomes of workers, until the result is disposed of. */
export function logNewsOfWorkers(
  snapshots: Snapshots,
): Disposable {
  const news = new Map<string, NewsOfWorkers>();
  return snapshots.subscribe(({ targets, at }) => {
    for (const { target, workers: shown } of targets) {
      const path = targetPath(target);
      const ofTarget = news.getOrInsertComputed(path, () => new NewsOfWorkers());
      for (const { fate, workers, ids, lost } of ofTarget.note(shown, at.monotonicMs)) {
        const fields = { workers, ids: workerIdsText(ids, workers) };
        if (fate === "silent") {
          logger().warn(`Workers silent at ${path}`, { ...fields, finding: SILENT });
        } else if (fate === "back") logger().info(`Silent workers back at ${path}`, fields);
        else if (lost > 0) logger().warn(`Workers gone from ${path}`, { ...fields, lost, finding: LOST });
        else logger().info(`Workers gone from ${path}`, fields);
      }
    }
  });
}
