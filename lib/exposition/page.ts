import type { Snapshot } from "../fleet/snapshot.ts";
import { type CountedFamily, renderText } from "./text.ts";

/** A page, and the `seq` of the Snapshot that it was made of. */
export interface PageText {
  readonly seq: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The page of the newest Snapshot, made at most once for each, when the first reader asks; the bytes serve all. */
export class Page {
  #made: { seq: number; page: Promise<PageText> } | undefined;

  constructor(
    private readonly sources: {
      readonly snapshot: () => Snapshot;
      readonly counted: () => Promise<readonly CountedFamily[]>;
    },
  ) {}

  text(): Promise<PageText> {
    const snapshot = this.sources.snapshot();
    const { seq } = snapshot;
    if (this.#made?.seq !== seq) {
      const page = this.#render(snapshot);
      this.#made = { seq, page };
      page.catch(() => this.#made = undefined); // The next reader asks for another.
    }
    return this.#made.page;
  }

  async #render(snapshot: Snapshot): Promise<PageText> {
    const text = renderText(snapshot, await this.sources.counted());
    return { seq: snapshot.seq, bytes: new TextEncoder().encode(text) };
  }
}
