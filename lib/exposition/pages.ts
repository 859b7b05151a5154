import type { Snapshot } from "../fleet/snapshot.ts";
import type { WorkerLabels } from "./family.ts";
import type { Format } from "./format.ts";
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
  readonly bytes: Uint8Array<ArrayBuffer>;
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
  #made = { seq: -1, pages: new Map<string, Promise<Page>>() };
  /** How long the last was, by format. */
  readonly #lengths = new Map<string, number>();

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  page(format: Format, encoding: Encoding): Promise<Page> {
    const snapshot = this.#options.snapshot();
    if (this.#made.seq !== snapshot.seq) this.#made = { seq: snapshot.seq, pages: new Map() };
    const { pages } = this.#made;
    const make = (encoding: Encoding): Promise<Page> => {
      const key = `${format.name} ${encoding}`;
      const known = pages.get(key);
      if (known !== undefined) return known;
      const page = encoding === "gzip" ? this.#compress(make("identity")) : this.#render(format, snapshot);
      pages.set(key, page);
      page.catch(() => pages.delete(key)); // The next reader asks for another.
      return page;
    };
    return make(encoding);
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
    const bytes = buffer.bytes();
    this.#lengths.set(format.name, bytes.length);
    return { seq: snapshot.seq, bytes };
  }

  async #compress(page: Promise<Page>): Promise<Page> {
    const { seq, bytes } = await page;
    return { seq, bytes: await gzip(bytes, this.#options.pause) };
  }
}
