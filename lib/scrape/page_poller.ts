import type { WorkerId } from "../dynamo/worker_id.ts";
import { type PageNumbers, parseWorkerPage } from "../dynamo/worker_page.ts";
import { logger } from "../log.ts";
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
  /** The worker's page, of others' at the same address apart: what came by it ends with it. */
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

/** How many pages are asked for at once, and how few and many of these may be such as did not answer when last asked. */
const MAX_AT_ONCE = 32;
const MIN_DOUBTFUL_AT_ONCE = 4;
const MAX_DOUBTFUL_AT_ONCE = 16;
const TIMEOUT_MS = 2_000;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_BACK_OFF_MS = 60_000;

/**
 * Asks for workers' HTTP pages, each at a fixed cadence, one that is not there ever more seldom. Pages that hang take no
 * turn from those that answer.
 */
export class PagePoller implements Disposable {
  readonly #options: PagePollerOptions;
  readonly #log = logger("pages");
  readonly #sources = new Map<string, Source>();
  /** Those whose time has come, such as did not answer when last asked apart. */
  readonly #waiting = new Set<Source>();
  readonly #doubtful = new Set<Source>();
  readonly #asked = new Set<Source>();
  #pages = new Map<string, WorkerPage>();
  #lost = new Set<string>();
  #counts = noCounts();

  constructor(options: PagePollerOptions) {
    this.#options = options;
  }

  /** Asks from now on for these pages, by URL with whom each may be of; what is asked for already goes on. */
  update(pages: ReadonlyMap<string, ReadonlySet<WorkerId>>): void {
    for (const source of this.#sources.values()) if (!pages.has(source.url)) this.#drop(source);
    for (const [url, workers] of pages) {
      const known = this.#sources.get(url);
      const source = known ?? new Source({ url, intervalMs: this.#options.intervalMs });
      this.#sources.set(url, source);
      const isNew = source.workers !== workers && !isSameSet(source.workers, workers);
      source.workers = workers;
      if (!isNew || known?.isThere || this.#asked.has(source)) continue;
      source.renew(); // A new worker's page may be there at once.
      this.#queue(source);
    }
    this.#ask();
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

  [Symbol.dispose](): void {
    for (const source of this.#sources.values()) this.#drop(source);
  }

  #drop(source: Source): void {
    source.end();
    this.#sources.delete(source.url);
    this.#waiting.delete(source);
    this.#doubtful.delete(source);
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
      const byWorker = numbersByWorker(parseWorkerPage(text), source.workers);
      const at = clock();
      for (const worker of source.speaksOf) if (!byWorker.has(worker)) this.#loseOne(source, worker);
      for (const [worker, numbers] of byWorker) {
        const via = viaOf(source, worker);
        this.#pages.set(via, { worker, at, via, numbers });
      }
      if (source.problem !== undefined) this.#log.info("A worker's page is there again", { url });
      source.answered(at, byWorker.keys());
      this.#options.onPage();
      return undefined;
    } catch (error) {
      if (!(error instanceof FetchError || error instanceof PageError)) throw error;
      if (signal.aborted) return undefined;
      if (error instanceof FetchError) this.#counts.asked++;
      this.#counts.rejected[error.problem]++;
      this.#options.onPage();
      if (source.problem === undefined) {
        this.#log.info("A worker's page cannot be read", { url, cause: error.message });
      }
      const isLate = error instanceof FetchError && error.problem === "timeout";
      const waitMs = source.failed(error.message);
      if (!isLate || clock().monotonicMs - source.answeredAtMs >= this.#options.keepMs) this.#lose(source);
      return waitMs;
    }
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
  /** Whom it may be of. */
  workers: ReadonlySet<WorkerId> = new Set();
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
function isSameSet(one: ReadonlySet<WorkerId>, other: ReadonlySet<WorkerId>): boolean {
  return one.size === other.size && one.isSubsetOf(other);
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

/**
 * What a page says, by the workers it names among those it may be of; one that names nobody speaks of whom alone it may
 * be of. An address may be another's by now (a worker that restarted has a new id), whose numbers must not become theirs.
 */
function numbersByWorker(
  numbers: readonly PageNumbers[],
  workers: ReadonlySet<WorkerId>,
): ReadonlyMap<WorkerId, readonly PageNumbers[]> {
  if (numbers.length === 0) throw new PageError("no_load", "says nothing of a worker");
  const named = numbers.filter((rank) => rank.worker !== undefined);
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
