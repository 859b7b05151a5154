import type { Membership } from "../discovery/membership.ts";
import { NewOnes } from "../discovery/new_ones.ts";
import { pageAddresses } from "../discovery/page_addresses.ts";
import type { PageTarget } from "../discovery/page_targets.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { Observation } from "../events/observation.ts";
import { logger } from "../log.ts";
import type { Clock } from "../timing.ts";
import { type PageBatch, PagePoller, type WorkerPage } from "./page_poller.ts";

export interface WorkerPagesOptions {
  readonly target: Target;
  readonly clock: Clock;
  /** Where pages are whose cards do not say. */
  readonly templates: readonly string[];
  /** The pages that a list names at the moment: the same value until it changes. */
  readonly listed: () => readonly PageTarget[];
  readonly intervalMs: number;
  readonly keepMs: number;
}

/** What the pages of a target's workers said since it was last taken. */
export interface PageInput extends Omit<PageBatch, "pages"> {
  readonly kind: "pages";
  readonly observations: readonly Observation[];
}

const NO_HOST = "its key names no host, so --worker-url with {host} names no page of it";

/** Reads the HTTP pages of a target's workers, as long as they are registered. */
export class WorkerPages implements Disposable {
  readonly #options: WorkerPagesOptions;
  readonly #poller: PagePoller;
  readonly #targets: ReadonlySet<Target>;
  readonly #log = logger("discovery");
  readonly #strangers = new NewOnes();
  readonly #newUnaddressed = new NewOnes();
  /** Undefined until somebody has said who is registered. */
  #membership: Pick<Membership, "workers"> | undefined;
  #listed: readonly PageTarget[] = [];
  /** Workers whose pages have no address. */
  #unaddressed: readonly WorkerId[] = [];
  onInput = () => {};

  constructor(options: WorkerPagesOptions) {
    this.#options = options;
    this.#targets = new Set([options.target]);
    this.#poller = new PagePoller({ ...options, onPage: () => this.onInput() });
  }

  /** Reads the pages of these workers from now on. */
  follow(membership: Pick<Membership, "workers">): void {
    this.#membership = membership;
    this.#address();
  }

  /** How many pages are asked for. */
  get pages(): number {
    return this.#poller.pages;
  }

  take(): readonly PageInput[] {
    if (this.#options.listed() !== this.#listed) this.#address();
    const batch = this.#poller.take();
    if (batch === undefined) return [];
    const { pages, ...counts } = batch;
    return [{ kind: "pages", ...counts, observations: pages.flatMap((page) => this.#observationsOf(page)) }];
  }

  /** Why pages of workers are not read. */
  problems(): ReadonlyMap<WorkerId, string> {
    const failing = this.#poller.problems();
    if (this.#unaddressed.length === 0) return failing;
    return new Map([...this.#unaddressed.map((id) => [id, NO_HOST] as const), ...failing]);
  }

  [Symbol.dispose](): void {
    this.#poller[Symbol.dispose]();
  }

  #address(): void {
    if (this.#membership === undefined) return;
    const { templates, listed } = this.#options;
    const { workers } = this.#membership;
    const targets = this.#listed = listed();
    const { pages, unaddressed } = pageAddresses({ workers }, { templates, targets });
    this.#poller.update(pages);
    this.#unaddressed = unaddressed;
    const strangers = this.#strangers.note(
      targets.flatMap(({ worker }) => worker === undefined || workers.has(worker) ? [] : [worker]),
    );
    if (strangers) this.#log.info("Pages are listed of workers that are not registered", strangers);
    const hostless = this.#newUnaddressed.note(unaddressed);
    if (hostless) {
      this.#log.warn(
        "The key of a worker names no host, so --worker-url with {host} names no page of it",
        hostless,
      );
    }
  }

  /** What a worker's page says, rank by rank. */
  #observationsOf({ worker, at, via, numbers }: WorkerPage): Observation[] {
    return numbers.map((rank) => ({
      worker,
      dpRank: rank.dpRank,
      at,
      channel: "http",
      via,
      targets: this.#targets,
      said: { kind: "page", numbers: rank },
    }));
  }
}
