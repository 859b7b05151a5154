import type { Snapshot } from "../fleet/snapshot.ts";
import { type CountedFamily, renderText } from "./text.ts";

/** The page of the newest Snapshot, made at most once for each, when the first reader asks; the bytes serve all. */
export class Page {
  #made: { seq: number; bytes: Promise<Uint8Array<ArrayBuffer>> } | undefined;

  constructor(
    private readonly sources: {
      readonly snapshot: () => Snapshot;
      readonly counted: () => Promise<readonly CountedFamily[]>;
    },
  ) {}

  text(): Promise<Uint8Array<ArrayBuffer>> {
    const snapshot = this.sources.snapshot();
    if (this.#made?.seq !== snapshot.seq) {
      const bytes = this.#render(snapshot);
      this.#made = { seq: snapshot.seq, bytes };
      bytes.catch(() => this.#made = undefined); // The next reader asks for another.
    }
    return this.#made.bytes;
  }

  async #render(snapshot: Snapshot): Promise<Uint8Array<ArrayBuffer>> {
    return new TextEncoder().encode(renderText(snapshot, await this.sources.counted()));
  }
}
