import { type WorkerId, workerIdsText } from "../dynamo/worker_id.ts";
import { logger } from "../log.ts";
import type { Membership } from "./membership.ts";
import type { PageTarget } from "./page_targets.ts";

/** Says, once of each, that a listed page is of a worker that is not registered: it is not read. */
export class ListedStrangers {
  #known: ReadonlySet<WorkerId> = new Set();

  note(targets: readonly PageTarget[], { workers }: Pick<Membership, "workers">): void {
    const strangers = new Set<WorkerId>();
    for (const { worker } of targets) {
      if (worker !== undefined && !workers.has(worker)) strangers.add(worker);
    }
    const ids = [...strangers].filter((worker) => !this.#known.has(worker));
    this.#known = strangers;
    if (ids.length === 0) return;
    logger("discovery").info("Pages are listed of workers that are not registered", {
      workers: ids.length,
      ids: workerIdsText(ids),
    });
  }
}
