import type { WorkerId } from "../dynamo/worker_id.ts";
import { type PageNumbers, parseWorkerPage, type UnknownLabel } from "../dynamo/worker_page.ts";
import type { PageOwners } from "../discovery/page_addresses.ts";
import { logger, SaidOnce } from "../log.ts";
import { BackOff, type Clock, type Instant } from "../timing.ts";
import { FETCH_PROBLEMS, FetchError, fetchText } from "../transport/http_text.ts";

export interface PagePollerOptions {
  readonly clock: Clock;
  /** From one question to the next, of a page that is there. */
  readonly intervalMs: number;
  /** How long what a page said stands while it is only late: a page that hangs is lost after that. */
  readonly keepMs: number;
  /** Told of each page, also one that is not there; it should only take note. */
  readonly onPage: () => void;
  /** The longest one page may take. */
  readonly timeoutMs?: number;
}

/** What a worker's page said. */
export interface WorkerPage {
  readonly worker: WorkerId;
  readonly at: Instant;
  /** Identifies this page among several at one address. Dropping the page drops everything it reported. */
  readonly via: string;
  /** By rank; at least one. */
  readonly numbers: readonly PageNumbers[];
}

/** Why a page was not taken. A closed set: it becomes a label. */
export const PAGE_PROBLEMS = [...FETCH_PROBLEMS, "no_load", "other_worker"] as const;
export type PageProblem = typeof PAGE_PROBLEMS[number];

/** What came since it was last taken. */
export interface PageBatch {
  /** The newest of each worker. */
  readonly pages: readonly WorkerPage[];
  /** Pages that are no longer there: what they said before is no longer known to be true. */
  readonly lost: ReadonlySet<string>;
  /** How many were asked for, and how many of these not taken. */
  readonly asked: number;
  readonly rejected: Readonly<Record<PageProblem, number>>;
}

/** Pages requested at once. Of these, between MIN and MAX may go to addresses whose last request failed. */
const MAX_AT_ONCE = 32;
const MIN_DOUBTFUL_AT_ONCE = 4;
const MAX_DOUBTFUL_AT_ONCE = 16;
const TIMEOUT_MS = 2_000;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_BACK_OFF_MS = 60_000;
/** Lines of the log about the content of pages, and about why one cannot be read. */
const MAX_SAID = 100;
const MAX_CAUSES = 10;
const UNKNOWN_LABEL = "A worker's page has samples that differ in an unknown label: none is shown";

/**
 * Asks for workers' HTTP pages, each at a fixed cadence, one that is not there ever more seldom. Pages that hang take no
 * turn from those that answer.
 */
export class PagePoller implements Disposable {
  readonly #options: PagePollerOptions;
  readonly #log = logger("pages");
  readonly #sources = new Map<string, Source>();
  /** Sources that are due. Sources whose last request failed are kept in `#doubtful`. */
  readonly #waiting = new Set<Source>();
  readonly #doubtful = new Set<Source>();
  readonly #failing = new Set<Source>();
  /** Families and labels that were logged: pages of one engine have the same. */
  readonly #saidLabels = new SaidOnce(MAX_SAID);
  readonly #asked = new Set<Source>();
  #pages = new Map<string, WorkerPage>();
  #lost = new Set<string>();
  #counts = noCounts();

  constructor(options: PagePollerOptions) {
    this.#options = options;
  }

  /** Asks from now on for these pages, by URL with whom each may be of; what is asked for already goes on. */
  update(pages: ReadonlyMap<string, PageOwners>): void {
    for (const source of this.#sources.values()) if (!pages.has(source.url)) this.#drop(source);
    for (const [url, owners] of pages) {
      const known = this.#sources.get(url);
      const source = known ?? new Source({ url, intervalMs: this.#options.intervalMs });
      this.#sources.set(url, source);
      const isNew = !isSameOwners(source.owners, owners);
      source.owners = owners;
      if (!isNew || known?.isThere || this.#asked.has(source)) continue;
      source.renew(); // A new worker's page may be there at once.
      this.#queue(source);
    }
    this.#ask();
  }

  /** How many pages are asked for. */
  get pages(): number {
    return this.#sources.size;
  }

  /** What came since the last call; undefined when nothing did. */
  take(): PageBatch | undefined {
    if (this.#counts.asked === 0 && this.#lost.size === 0) return undefined;
    const batch = { pages: [...this.#pages.values()], lost: this.#lost, ...this.#counts };
    this.#pages = new Map();
    this.#lost = new Set();
    this.#counts = noCounts();
    return batch;
  }

  /** Why the pages of workers cannot be read, of those that no other page speaks of. */
  problems(): ReadonlyMap<WorkerId, string> {
    const problems = new Map<WorkerId, string>();
    for (const { url, problem, owners: { workers } } of this.#failing) {
      const [worker] = workers;
      if (worker === undefined || workers.size > 1) continue; // Of whom it would be is not known.
      problems.set(worker, `${shownUrl(url)}: ${problem}`);
    }
    if (problems.size === 0) return problems;
    for (const { speaksOf } of this.#sources.values()) for (const worker of speaksOf) problems.delete(worker);
    return problems;
  }

  [Symbol.dispose](): void {
    for (const source of this.#sources.values()) this.#drop(source);
  }

  #drop(source: Source): void {
    source.end();
    this.#sources.delete(source.url);
    this.#waiting.delete(source);
    this.#doubtful.delete(source);
    this.#failing.delete(source);
    this.#lose(source);
  }

  /** Asks as many as may be asked at once. */
  #ask(): void {
    let doubtful = 0;
    for (const { isThere } of this.#asked) if (!isThere) doubtful++;
    const kept = Math.max(0, Math.min(MIN_DOUBTFUL_AT_ONCE - doubtful, this.#doubtful.size));
    for (const source of this.#waiting) {
      if (this.#asked.size >= MAX_AT_ONCE - kept) break;
      this.#waiting.delete(source);
      void this.#poll(source);
    }
    for (const source of this.#doubtful) {
      if (this.#asked.size >= MAX_AT_ONCE || ++doubtful > MAX_DOUBTFUL_AT_ONCE) return;
      this.#doubtful.delete(source);
      void this.#poll(source);
    }
  }

  #queue(source: Source): void {
    (source.isThere ? this.#waiting : this.#doubtful).add(source);
  }

  async #poll(source: Source): Promise<void> {
    const { clock, intervalMs } = this.#options;
    const askedAtMs = clock().monotonicMs;
    this.#asked.add(source);
    const waitMs = await this.#read(source);
    this.#asked.delete(source);
    if (!source.stop.signal.aborted) {
      const ms = waitMs ?? Math.max(0, askedAtMs + intervalMs - clock().monotonicMs);
      source.timer = setTimeout(() => {
        this.#queue(source);
        this.#ask();
      }, ms);
    }
    this.#ask();
  }

  /** Gives how long to leave it alone, of a page that is not there. */
  async #read(source: Source): Promise<number | undefined> {
    const { timeoutMs = TIMEOUT_MS, clock } = this.#options;
    const { url, stop: { signal } } = source;
    try {
      const text = await fetchText(url, { timeoutMs, maxBytes: MAX_BYTES, signal });
      if (signal.aborted) return undefined;
      this.#counts.asked++;
      const page = parseWorkerPage(text);
      this.#warnOfLabels(source, page.unknownLabels);
      const byWorker = this.#numbersByWorker(page.numbers, source);
      const at = clock();
      for (const worker of source.speaksOf) if (!byWorker.has(worker)) this.#loseOne(source, worker);
      for (const [worker, numbers] of byWorker) {
        const via = viaOf(source, worker);
        this.#pages.set(via, { worker, at, via, numbers });
      }
      if (source.problem !== undefined) {
        this.#log.info("A worker's page is there again", { url: shownUrl(url) });
      }
      source.answered(at, byWorker.keys());
      this.#failing.delete(source);
      this.#options.onPage();
      return undefined;
    } catch (error) {
      if (!(error instanceof FetchError || error instanceof PageError)) throw error;
      if (signal.aborted) return undefined;
      if (error instanceof FetchError) this.#counts.asked++;
      this.#counts.rejected[error.problem]++;
      this.#options.onPage();
      if (source.problem === undefined) source.causes.clear();
      if (source.causes.isFirst(error.message)) {
        this.#log.info("A worker's page cannot be read", { url: shownUrl(url), cause: error.message });
      }
      const isLate = error instanceof FetchError && error.problem === "timeout";
      const waitMs = source.failed(error.message);
      this.#failing.add(source);
      if (!isLate || clock().monotonicMs - source.answeredAtMs >= this.#options.keepMs) this.#lose(source);
      return waitMs;
    }
  }

  /** Says once of each family and label that nothing is taken of the samples that it tells apart. */
  #warnOfLabels({ url }: Source, unknownLabels: readonly UnknownLabel[]): void {
    for (const { family, label } of unknownLabels) {
      if (!this.#saidLabels.isFirst(`${family} ${label}`)) continue;
      const what = label === "" ? "A worker's page repeats a sample with other values" : UNKNOWN_LABEL;
      this.#log.warn(what, { family, ...(label !== "" && { label }), url: shownUrl(url) });
    }
  }

  /**
   * What a page says, by worker. If the list names its worker, all of it is of that worker. Else it is of the workers
   * that it names, among those it may be of; one that names nobody is of the only one that it may be of. An address
   * may be another's by now (a worker that restarted has a new id), whose numbers must not become theirs.
   */
  #numbersByWorker(
    numbers: readonly PageNumbers[],
    source: Source,
  ): ReadonlyMap<WorkerId, readonly PageNumbers[]> {
    const { workers, listedAs } = source.owners;
    if (numbers.length === 0) throw new PageError("no_load", "says nothing of a worker");
    const named = numbers.filter((rank) => rank.worker !== undefined);
    const ids = new Set(named.map(({ worker }) => worker!));
    if (listedAs !== undefined && !ids.has(listedAs) && ids.size <= 1) {
      for (const worker of ids) {
        if (!source.strangers.isFirst(worker)) continue;
        const fields = { url: shownUrl(source.url), listed: listedAs, page: worker };
        this.#log.info("A page names another worker than the list: the list counts", fields);
      }
      return new Map([[listedAs, numbers]]);
    }
    if (named.length === 0) {
      const [only, ...others] = workers;
      if (only === undefined || others.length > 0) {
        throw new PageError(
          "other_worker",
          `names no worker, and may be of ${workers.size}: --worker-url-file can say of which`,
        );
      }
      return new Map([[only, numbers]]);
    }
    const own = named.filter(({ worker }) => workers.has(worker!));
    if (own.length === 0) throw new PageError("other_worker", `is the page of worker ${named[0]!.worker}`);
    return Map.groupBy(own, ({ worker }) => worker!);
  }

  /** Once for each time that it was there. */
  #lose(source: Source): void {
    if (source.speaksOf.size === 0) return;
    for (const worker of source.speaksOf) this.#loseOne(source, worker);
    source.speaksOf = new Set();
  }

  #loseOne(source: Source, worker: WorkerId): void {
    const via = viaOf(source, worker);
    this.#pages.delete(via);
    this.#lost.add(via);
  }
}

/** One page. */
class Source {
  readonly url: string;
  readonly stop = new AbortController();
  readonly #backOff: BackOff;
  timer: ReturnType<typeof setTimeout> | undefined;
  isThere = false;
  answeredAtMs = -Infinity;
  owners: PageOwners = { workers: new Set() };
  /** Whom it named in the place of the worker that the list names. */
  readonly strangers = new SaidOnce(MAX_SAID);
  /** Why it could not be read since it was last there. */
  readonly causes = new SaidOnce(MAX_CAUSES);
  /** Of whom it has said what still stands. */
  speaksOf: ReadonlySet<WorkerId> = new Set();
  /** Why it is not there; undefined while it was not asked, or is. */
  problem: string | undefined;

  constructor({ url, intervalMs }: { url: string; intervalMs: number }) {
    this.url = url;
    this.#backOff = new BackOff({ firstMs: Math.min(intervalMs, MAX_BACK_OFF_MS), maxMs: MAX_BACK_OFF_MS });
  }

  answered({ monotonicMs }: Instant, workers: Iterable<WorkerId>): void {
    this.isThere = true;
    this.speaksOf = new Set(workers);
    this.answeredAtMs = monotonicMs;
    this.problem = undefined;
    this.#backOff.reset();
  }

  /** Gives how long to leave it alone. */
  failed(problem: string): number {
    this.isThere = false;
    this.problem = problem;
    return this.#backOff.next();
  }

  /** It is no longer left alone. */
  renew(): void {
    clearTimeout(this.timer);
    this.#backOff.reset();
  }

  end(): void {
    this.stop.abort();
    clearTimeout(this.timer);
  }
}

/** Quick where sizes differ. */
function isSameOwners(one: PageOwners, other: PageOwners): boolean {
  if (one === other) return true;
  const { workers, listedAs } = other;
  return one.listedAs === listedAs && one.workers.size === workers.size &&
    (one.workers === workers || one.workers.isSubsetOf(workers));
}

/** Without a query, which may hold a secret. */
function shownUrl(url: string): string {
  return url.replace(/[?#].*/, "");
}

function viaOf({ url }: Source, worker: WorkerId): string {
  return `${url} ${worker}`;
}

/** A page that is no page of those it may be of. */
class PageError extends Error {
  override readonly name = "PageError";
  constructor(readonly problem: "no_load" | "other_worker", message: string) {
    super(message);
  }
}

function noCounts(): { asked: number; readonly rejected: Record<PageProblem, number> } {
  return {
    asked: 0,
    rejected: { timeout: 0, unreachable: 0, status: 0, too_large: 0, no_load: 0, other_worker: 0 },
  };
}
