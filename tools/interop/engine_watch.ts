import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import type { PageReader } from "../page_reader.ts";
import { type Engine, pageOf, SHAPE } from "./engine.ts";
import { type EngineReading, readEngine } from "./engine_reading.ts";
import { pause, sought } from "./patience.ts";
import type { WatchedPage } from "./watched_page.ts";

/** Settings of our `metrics`, in seconds. */
export const SECONDS = { staleAfter: 5, stuckAfter: 5 } as const;

/** A running engine, our page of it, and what it says itself meanwhile. */
export interface Watched {
  readonly engine: Engine;
  readonly id: WorkerId;
  readonly page: WatchedPage;
  readonly watch: EngineWatch;
  readonly signal: AbortSignal;
}

/** Four times a second, so that little happens in the engine between two readings. */
const EVERY_MS = 250;

/** Reads the worker's own page over and over, and keeps what it said. */
export class EngineWatch implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;
  readonly #readings: EngineReading[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#reading = this.#read();
  }

  /** All that was read so far, the oldest first. */
  get readings(): readonly EngineReading[] {
    return this.#readings;
  }

  /** The first reading, now or later, that was asked for from now on and is as it should be. */
  async until(
    what: string,
    isSo: (reading: EngineReading) => boolean,
    options: { readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<EngineReading> {
    const nowMs = performance.now();
    return await sought(
      what,
      () => this.#readings.find((reading) => reading.fromMs >= nowMs && isSo(reading)),
      options,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const fromMs = performance.now();
      try {
        const page = await pageOf(this.#engine);
        const { ranks, blocks } = SHAPE;
        this.#readings.push(readEngine(page, { ranks, blocks, fromMs, toMs: performance.now() }));
      } catch {
        // A page that did not come is no reading. Whoever waits for one says so.
      }
      await pause(Math.max(0, fromMs + EVERY_MS - performance.now()), signal).catch(() => {});
    }
  }
}

/** Our page at one moment. */
export interface Sample {
  /** When it was asked for, and when it was there. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly page: PageReader;
  /** Of `/readyz` at the same moment. */
  readonly reasons: readonly string[];
}

/** Looks at our page at a steady pace until there was enough. */
export async function samplesOf(
  page: WatchedPage,
  { everyMs, isEnough, signal }: {
    readonly everyMs: number;
    /** Asked after each sample, with all. */
    readonly isEnough: (samples: readonly Sample[]) => boolean;
    readonly signal: AbortSignal;
  },
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (let nextMs = performance.now();;) {
    await pause(Math.max(0, nextMs - performance.now()), signal);
    const fromMs = performance.now();
    while (nextMs <= fromMs) nextMs += everyMs; // What came too late is left out.
    const shown = await page.read();
    const toMs = performance.now();
    samples.push({ fromMs, toMs, page: shown, reasons: await page.reasons() });
    if (isEnough(samples)) return samples;
  }
}

/** Seconds from a moment on to the first sample that is so; undefined without one. */
export function secondsUntil(
  isSo: (sample: Sample) => boolean,
  { samples, sinceMs }: { readonly samples: readonly Sample[]; readonly sinceMs: number },
): number | undefined {
  const first = samples.find(isSo);
  return first && Math.round((first.toMs - sinceMs) / 100) / 10;
}
