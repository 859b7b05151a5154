import type { RankName } from "../dynamo/worker_page.ts";

/** Two counters of one rank's prefix cache at a moment. */
interface Reading {
  readonly atMs: number;
  readonly hits: number;
  readonly queries: number;
}

/**
 * What the counters of a rank grew by. `hits` and `queries` of the readings never fall: a counter that fell began anew,
 * and goes on from where it was.
 */
interface Growth {
  /** As the page said them last: since the engine's start. */
  readonly hits: number;
  readonly queries: number;
  /** The oldest that is needed first, the newest last; those between are at least `STEP_MS` apart. */
  readonly readings: readonly Reading[];
}

/** Counters of the prefix cache of a worker's ranks, over the last minutes, by page and rank. */
export type PrefixHits = ReadonlyMap<string, Growth>;

/** Names the counters that a page has for a rank: those of another page are others. */
export function countersKey({ via, dpRank }: { readonly via: string; readonly dpRank: RankName }): string {
  return `${dpRank} ${via}`;
}

export const NO_PREFIX_HITS: PrefixHits = new Map();

/** A worker has fewer counters; those that are not heard any more are the first to go. */
const MAX_COUNTERS = 512;
const WINDOW_MS = 300_000;
const STEP_MS = 10_000;

/** The counters with a newer reading of one rank in them. `atMs` is monotonic. */
export function notePrefixHits(
  known: PrefixHits,
  key: string,
  { atMs, hits, queries }: Reading,
): PrefixHits {
  const before = known.get(key);
  const last = before?.readings.at(-1);
  if (before === undefined || last === undefined) {
    const first = { hits, queries, readings: [{ atMs, hits, queries }] };
    return withGrowth(known, key, first);
  }
  if (atMs <= last.atMs) return known;
  const beganAnew = hits < before.hits || queries < before.queries;
  const reading = {
    atMs,
    hits: last.hits + (beganAnew ? hits : hits - before.hits),
    queries: last.queries + (beganAnew ? queries : queries - before.queries),
  };
  return withGrowth(known, key, { hits, queries, readings: append(before.readings, reading) });
}

function withGrowth(known: PrefixHits, key: string, growth: Growth): PrefixHits {
  const next = new Map(known);
  next.delete(key); // The newest stand last.
  next.set(key, growth);
  if (next.size > MAX_COUNTERS) next.delete(next.keys().next().value!);
  return next;
}

/** Replaces the last reading unless it is a step later than the one before it; leaves out what is no longer needed. */
function append(readings: readonly Reading[], reading: Reading): readonly Reading[] {
  const last = readings.at(-1)!;
  const lastButOne = readings.at(-2);
  const isStep = lastButOne === undefined || last.atMs - lastButOne.atMs >= STEP_MS;
  const kept = isStep ? readings : readings.slice(0, -1);
  const start = kept.findLastIndex(({ atMs }) => atMs <= reading.atMs - WINDOW_MS);
  return [...kept.slice(Math.max(0, start)), reading];
}

/**
 * Hits over queries of these counters together, 0 to 1: of the last five minutes, or since the engine's start if nothing
 * was looked up in that time or there is one reading. Undefined if nothing ever was, or the counters cannot be true.
 */
export function prefixHitRatio(hits: PrefixHits, keys: Iterable<string>): number | undefined {
  const recent = { hits: 0, queries: 0 };
  const ever = { hits: 0, queries: 0 };
  for (const key of keys) {
    const growth = hits.get(key);
    if (growth === undefined) continue;
    const { readings } = growth;
    const [first, last] = [readings[0]!, readings.at(-1)!];
    recent.hits += last.hits - first.hits;
    recent.queries += last.queries - first.queries;
    ever.hits += growth.hits;
    ever.queries += growth.queries;
  }
  const chosen = recent.queries > 0 ? recent : ever;
  return chosen.queries > 0 && chosen.hits <= chosen.queries ? chosen.hits / chosen.queries : undefined;
}
