import { type WorkerId, workerIdsText } from "../dynamo/worker_id.ts";
import { logger } from "../log.ts";
import type { Membership } from "./membership.ts";
import type { PageTarget } from "./page_targets.ts";

/** Says, once of each worker, what is odd about its keys or about a page that is listed for it. */
export class KeyTroubles {
  #strangers: ReadonlySet<WorkerId> = new Set();
  #unaddressed: ReadonlySet<WorkerId> = new Set();
  #contradictions: ReadonlySet<WorkerId> = new Set();
  readonly #log = logger("discovery");

  /** Pages that are listed for workers that are not registered: they are not read. */
  noteStrangers(targets: readonly PageTarget[], { workers }: Pick<Membership, "workers">): void {
    const strangers = new Set<WorkerId>();
    for (const { worker } of targets) {
      if (worker !== undefined && !workers.has(worker)) strangers.add(worker);
    }
    const fields = newOnes(strangers, this.#strangers);
    this.#strangers = strangers;
    if (fields) this.#log.info("Pages are listed of workers that are not registered", fields);
  }

  /** Workers whose page has no address. */
  noteUnaddressed(workers: readonly WorkerId[]): void {
    const unaddressed = new Set(workers);
    const fields = newOnes(unaddressed, this.#unaddressed);
    this.#unaddressed = unaddressed;
    if (!fields) return;
    this.#log.warn(
      "The key of a worker names no host, so --worker-url with {host} names no page of it",
      fields,
    );
  }

  /** Workers whose keys are those of different releases: units are then taken from the card. */
  noteContradictions({ workers }: Pick<Membership, "workers">): void {
    const contradictions = new Set<WorkerId>();
    for (const [worker, { releases }] of workers) if (releases === 0) contradictions.add(worker);
    const fields = newOnes(contradictions, this.#contradictions);
    this.#contradictions = contradictions;
    if (!fields) return;
    this.#log.warn(
      "The keys of a worker are of different releases: units are those of its card's release",
      fields,
    );
  }
}

/** What to log of those that were not there before; undefined if there are none. */
function newOnes(
  now: ReadonlySet<WorkerId>,
  before: ReadonlySet<WorkerId>,
): { readonly workers: number; readonly ids: string } | undefined {
  if (now.size === 0) return undefined;
  const ids = [...now].filter((worker) => !before.has(worker));
  return ids.length === 0 ? undefined : { workers: ids.length, ids: workerIdsText(ids) };
}
