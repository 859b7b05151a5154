import { type WorkerId, workerIdsText } from "../dynamo/worker_id.ts";
import { logger } from "../log.ts";
import type { Membership } from "./membership.ts";
import type { PageTarget } from "./page_targets.ts";

/** Says, once of each worker, what is odd about its keys or about a page that is listed for it. */
export class KeyTroubles {
  readonly #strangers = new NewOnes();
  readonly #unaddressed = new NewOnes();
  readonly #contradictions = new NewOnes();
  readonly #log = logger("discovery");

  /** Pages that are listed for workers that are not registered: they are not read. */
  noteStrangers(targets: readonly PageTarget[], { workers }: Pick<Membership, "workers">): void {
    const strangers = targets.flatMap(({ worker }) =>
      worker === undefined || workers.has(worker) ? [] : [worker]
    );
    const fields = this.#strangers.note(strangers);
    if (fields) this.#log.info("Pages are listed of workers that are not registered", fields);
  }

  /** Workers whose page has no address. */
  noteUnaddressed(workers: readonly WorkerId[]): void {
    const fields = this.#unaddressed.note(workers);
    if (!fields) return;
    this.#log.warn(
      "The key of a worker names no host, so --worker-url with {host} names no page of it",
      fields,
    );
  }

  /** Workers whose keys are those of different releases: units are then taken from the card. */
  noteContradictions({ workers }: Pick<Membership, "workers">): void {
    const fields = this.#contradictions.note(
      workers.entries().filter(([, { releases }]) => releases === 0).map(([worker]) => worker),
    );
    if (!fields) return;
    this.#log.warn(
      "The keys of a worker are of different releases: units are those of its card's release",
      fields,
    );
  }
}

/** The workers in one trouble, compared with those that were in it before. */
class NewOnes {
  #known: ReadonlySet<WorkerId> = new Set();

  /** Takes note of all that are in it now; gives what to log of those that were not, undefined if there are none. */
  note(workers: Iterable<WorkerId>): { readonly workers: number; readonly ids: string } | undefined {
    const now = new Set(workers);
    const ids = [...now].filter((worker) => !this.#known.has(worker));
    this.#known = now;
    return ids.length === 0 ? undefined : { workers: ids.length, ids: workerIdsText(ids) };
  }
}
