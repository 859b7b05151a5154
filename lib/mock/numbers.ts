import { blake3 } from "@noble/hashes/blake3.js";
import { uniformBigInt } from "pure-rand/distribution/uniformBigInt";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { HitRate } from "../dynamo/hit_rate.ts";
import type { Load, LoadShape } from "../dynamo/load.ts";
import { type WorkerId, workerIdFromInteger } from "../dynamo/worker_id.ts";

/** What every mock worker has, of which its load is a part. */
export const TOTAL_BLOCKS = 100;
export const TOTAL_SLOTS = 100;

export interface NumbersOptions {
  /** The same seed gives the same numbers; every text is one. */
  readonly seed: string;
  /** Which of the workers of that seed. */
  readonly index: number;
  readonly shape: LoadShape;
  /** The first load and the first event again and again. */
  readonly steady: boolean;
}

/**
 * One worker's invented numbers, in the ranges of Dynamo's own mock worker. Loads, events and id are drawn apart: the
 * n-th load does not depend on how many events were drawn before.
 */
export class MockNumbers {
  /** For a worker without a lease: 63 random bits, which readers of signed ids take too. */
  readonly id: WorkerId;
  /** Whether it is the first load and the first event again and again. */
  readonly steady: boolean;
  readonly #loads: () => Load;
  readonly #hitRates: () => HitRate;
  #load: Load | undefined;
  /** Drawn, and not given by `nextLoad` yet. */
  #ahead: Load | undefined;

  constructor({ seed, index, shape, steady }: NumbersOptions) {
    const drawsFor = (purpose: string) => draws(`${seed}/${index}/${purpose}`);
    this.id = drawsFor("id").id();
    this.steady = steady;
    this.#loads = repeated(loads(drawsFor("load"), shape), steady);
    this.#hitRates = repeated(hitRates(drawsFor("event")), steady);
  }

  nextLoad(): Load {
    this.#load = this.#ahead ?? this.#loads();
    this.#ahead = undefined;
    return this.#load;
  }

  /** The load that was given last; before the first, that one. */
  get load(): Load {
    return this.#load ?? (this.#ahead ??= this.#loads());
  }

  /** The event's worker is a number of its own, chosen once, as the original's: it matches no worker's id. */
  nextHitRate(): HitRate {
    return this.#hitRates();
  }
}

function loads(draw: Draws, shape: LoadShape): () => Load {
  return () => ({
    shape,
    activeSlots: draw.upTo(TOTAL_SLOTS),
    totalSlots: TOTAL_SLOTS,
    activeBlocks: draw.upTo(TOTAL_BLOCKS),
    totalBlocks: TOTAL_BLOCKS,
    requestsWaiting: draw.upTo(100),
    cacheUsageRatio: draw.ratio(),
    prefixHitRatio: draw.ratio(),
  });
}

function hitRates(draw: Draws): () => HitRate {
  const worker = workerIdFromInteger(1 + draw.upTo(999))!;
  return () => {
    const islBlocks = draw.upTo(100);
    return { worker, islBlocks, overlapBlocks: draw.upTo(islBlocks) };
  };
}

function repeated<T>(next: () => T, steady: boolean): () => T {
  if (!steady) return next;
  const value = next();
  return () => value;
}

/** Random numbers, each limit included. */
interface Draws {
  readonly upTo: (max: number) => number;
  /** 0 to 1 in steps that a 32-bit float holds exactly. */
  readonly ratio: () => number;
  readonly id: () => WorkerId;
}

const RATIO_STEPS = 2 ** 24;

/** Draws that depend on `seed` alone. The hash makes the numbers of neighbouring seeds and workers unlike. */
function draws(seed: string): Draws {
  const hash = new DataView(blake3(new TextEncoder().encode(seed)).buffer);
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => hash.getInt32(offset)));
  return {
    upTo: (max) => uniformInt(generator, 0, max),
    ratio: () => uniformInt(generator, 0, RATIO_STEPS) / RATIO_STEPS,
    id: () => workerIdFromInteger(uniformBigInt(generator, 1n, 2n ** 63n - 1n))!,
  };
}
