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

/** Counters of the prefix cache of a worker's ranks, over the last minutes. */
export type PrefixHits = ReadonlyMap<RankName, Growth>;

export const NO_PREFIX_HITS: PrefixHits = new Map();

const WINDOW_MS = 300_000;
const STEP_MS = 10_000;

/** The counters with a newer reading of one rank in them. `atMs` is monotonic. */
export function notePrefixHits(
  known: PrefixHits,
  dpRank: RankName,
  { atMs, hits, queries }: Reading,
): PrefixHits {
  const before = known.get(dpRank);
  const last = before?.readings.at(-1);
  if (before === undefined || last === undefined) {
    const first = { hits, queries, readings: [{ atMs, hits, queries }] };
    return new Map(known).set(dpRank, first);
  }
  if (atMs <= last.atMs) return known;
  const beganAnew = hits < before.hits || queries < before.queries;
  const reading = {
    atMs,
    hits: last.hits + (beganAnew ? hits : hits - before.hits),
    queries: last.queries + (beganAnew ? queries : queries - before.queries),
  };
  return new Map(known).set(dpRank, { hits, queries, readings: append(before.readings, reading) });
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
 * Hits over queries of these ranks together, 0 to 1: of the last five minutes, or since the engine's start if nothing
 * was looked up in that time or there is one reading. Undefined if nothing ever was, or the counters cannot be true.
 */
export function prefixHitRatio(hits: PrefixHits, ranks: Iterable<RankName>): number | undefined {
  const recent = { hits: 0, queries: 0 };
  const ever = { hits: 0, queries: 0 };
  for (const rank of ranks) {
    const growth = hits.get(rank);
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
