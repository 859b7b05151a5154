import { HttpReader } from "./http_reader.ts";

/** Reads addresses once a second each, as Prometheus would, until it is disposed of. */
export class Scraping implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  #scrapes = 0;

  /** @param pages each with its own connection, spread over the second */
  constructor(pages: readonly { readonly url: string; readonly gzip: boolean }[]) {
    this.#running = Promise.all(pages.map((page, n) => this.#scrape(page, n * EVERY_MS / pages.length)));
    this.#running.catch(() => {}); // Whoever disposes of it learns of it.
  }

  get scrapes(): number {
    return this.#scrapes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #scrape({ url, gzip }: { url: string; gzip: boolean }, phaseMs: number): Promise<void> {
    const { signal } = this.#stop;
    using reader = await HttpReader.connect(url);
    const request = HttpReader.request(url, { gzip });
    await pause(phaseMs, signal);
    while (!signal.aborted) {
      const startMs = performance.now();
      const { status } = await reader.read(request);
      if (status !== 200) throw new Error(`${url} answers ${status}`);
      this.#scrapes++;
      await pause(EVERY_MS - (performance.now() - startMs), signal);
    }
  }
}

const EVERY_MS = 1_000;

/** Waits so long, or until told to stop. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.max(0, ms));
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end);
  });
}
