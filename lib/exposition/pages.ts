import { lengthOf } from "../bytes.ts";
import type { Snapshot } from "../fleet/snapshot.ts";
import type { WorkerLabels } from "./family.ts";
import type { Format } from "./sample.ts";
import { gzip, type Pause } from "./gzip.ts";
import { PageBuffer } from "./page_buffer.ts";
import { renderPage } from "./render.ts";
import type { CountedFamily } from "./samples.ts";

/** What a page's bytes are: its text, or that compressed. */
export type Encoding = "identity" | "gzip";

/** One page as bytes, shared by all who read it: nobody may change them. */
export interface Page {
  /** Of the Snapshot that it shows. */
  readonly seq: number;
  /** One after the other; empty once all loans of a page ended that is not the newest. */
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
}

/** A page for one reader, to be disposed of when its bytes were read. */
export interface Loan extends Disposable {
  readonly page: Page;
}

export interface PagesOptions {
  readonly snapshot: () => Snapshot;
  readonly counted: () => Promise<readonly CountedFamily[]>;
  readonly workerLabels: WorkerLabels;
  readonly pause: Pause;
}

/**
 * The pages of the newest Snapshot, each format and encoding made at most once for it, when the first reader asks, in slices
 * between which others have their turn. A page stays whole, and of its Snapshot, whatever comes meanwhile.
 */
export class Pages {
  readonly #options: PagesOptions;
  #made = { seq: -1, pages: new Map<string, LentPage>() };
  /** How long the last was, by format. */
  readonly #lengths = new Map<string, number>();

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  lend(format: Format, encoding: Encoding): Promise<Loan> {
    const snapshot = this.#options.snapshot();
    if (this.#made.seq !== snapshot.seq) {
      for (const page of this.#made.pages.values()) page.retire();
      this.#made = { seq: snapshot.seq, pages: new Map() };
    }
    const { pages } = this.#made;
    const shared = (encoding: Encoding): LentPage => {
      const key = `${format.name} ${encoding}`;
      const known = pages.get(key);
      if (known !== undefined) return known;
      const making = encoding === "gzip"
        ? this.#compress(shared("identity").lend())
        : this.#render(format, snapshot);
      const page = new LentPage(making);
      pages.set(key, page);
      making.catch(() => pages.delete(key)); // The next reader asks for another.
      return page;
    };
    return shared(encoding).lend();
  }

  async #render(format: Format, snapshot: Snapshot): Promise<Page> {
    const { workerLabels, pause } = this.#options;
    const counted = await this.#options.counted();
    await pause();
    const expected = this.#lengths.get(format.name) ?? 0;
    const buffer = new PageBuffer(Math.ceil(expected * 1.1));
    for (const piece of renderPage(format, { snapshot, counted, workerLabels })) {
      buffer.append(piece);
      await pause();
    }
    const parts = buffer.parts();
    this.#lengths.set(format.name, lengthOf(parts));
    return { seq: snapshot.seq, parts };
  }

  async #compress(plain: Promise<Loan>): Promise<Page> {
    using loan = await plain;
    const { seq, parts } = loan.page;
    return { seq, parts: [await gzip(parts, this.#options.pause)] };
  }
}

/**
 * A page with the count of those who read it. V8 lets tens of megabytes of dead buffers stand, so the memory of one that
 * nobody reads any more is given back at once.
 */
class LentPage {
  readonly #making: Promise<Page>;
  #loans = 0;
  #isRetired = false;

  constructor(making: Promise<Page>) {
    this.#making = making;
  }

  async lend(): Promise<Loan> {
    this.#loans++;
    const loan = new DisposableStack();
    loan.defer(() => {
      this.#loans--;
      this.#freeUnread();
    });
    try {
      return { page: await this.#making, [Symbol.dispose]: () => loan.dispose() };
    } catch (error) {
      loan.dispose();
      throw error;
    }
  }

  /** There is a newer one: nobody borrows it from now on. */
  retire(): void {
    this.#isRetired = true;
    this.#freeUnread();
  }

  #freeUnread(): void {
    if (this.#isRetired && this.#loans === 0) void this.#making.then(free, () => {});
  }
}

function free({ parts }: Page): void {
  for (const { buffer } of parts) buffer.transfer(0);
}
