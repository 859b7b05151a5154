import { type WorkerId, workerIdsText } from "../dynamo/worker_id.ts";

/** The workers in one trouble, compared with those that were in it before: each is said once. */
export class NewOnes {
  #known: ReadonlySet<WorkerId> = new Set();

  /** Takes note of all that are in it now; gives what to log of those that were not, undefined if there are none. */
  note(workers: Iterable<WorkerId>): { readonly workers: number; readonly ids: string } | undefined {
    const now = new Set(workers);
    const ids = [...now].filter((worker) => !this.#known.has(worker));
    this.#known = now;
    return ids.length === 0 ? undefined : { workers: ids.length, ids: workerIdsText(ids) };
  }
}
