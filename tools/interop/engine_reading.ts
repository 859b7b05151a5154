import type { PageReader } from "../page_reader.ts";

/** What an engine says of one of its ranks. */
export interface RankReading {
  readonly running: number;
  readonly waiting: number;
  /** 0 to 1, of all blocks but one, which vLLM keeps for itself. */
  readonly usage: number;
  /** KV blocks in use, from the usage. */
  readonly used: number;
  /** Tokens since the engine's start. */
  readonly hits: number;
  readonly queries: number;
}

/** What a worker's own page says at one moment. */
export interface EngineReading {
  /** When the page was asked for, and when its answer was there. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly ranks: readonly RankReading[];
  readonly inFlight: number;
}

/** Two values that another must lie between; both are allowed. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

const MAX_GAP_MS = 1_000;

/** @throws when the page lacks one of the numbers, so that nothing is compared with what nobody said */
export function readEngine(
  page: PageReader,
  { ranks, blocks, fromMs, toMs }: {
    readonly ranks: number;
    readonly blocks: number;
    readonly fromMs: number;
    readonly toMs: number;
  },
): EngineReading {
  const number = (name: string, labels: Readonly<Record<string, string>>) => {
    const value = page.value(name, labels);
    if (value === undefined) throw new Error(`the worker's page has no ${name} of ${JSON.stringify(labels)}`);
    return value;
  };
  return {
    fromMs,
    toMs,
    ranks: Array.from({ length: ranks }, (_, rank) => {
      const of = (name: string) => number(`vllm:${name}`, { engine: `${rank}` });
      const usage = of("kv_cache_usage_perc");
      return {
        running: of("num_requests_running"),
        waiting: of("num_requests_waiting"),
        usage,
        used: Math.round(usage * (blocks - 1)),
        hits: of("prefix_cache_hits_total"),
        queries: of("prefix_cache_queries_total"),
      };
    }),
    inFlight: number("dynamo_component_inflight_requests", { dynamo_endpoint: "generate" }),
  };
}

/**
 * The readings that a page may show which was read between the two moments and is at most `ageMs` old: those of that
 * time, the last one before it, and the first one after it. Between two readings the engine had a value that may be
 * that of either. None are given if two of them lie more than a second apart, as on a machine that is too busy: what was
 * between these nobody knows.
 */
export function readingsFor(
  readings: readonly EngineReading[],
  { fromMs, toMs, ageMs }: { readonly fromMs: number; readonly toMs: number; readonly ageMs: number },
): readonly EngineReading[] {
  const first = readings.findLastIndex((reading) => reading.toMs <= fromMs - ageMs);
  const last = readings.findIndex((reading) => reading.fromMs >= toMs);
  if (first < 0 || last < 0) return [];
  const own = readings.slice(first, last + 1);
  return longestGapMs(own) > MAX_GAP_MS ? [] : own;
}

/** The least and the greatest that one rank had; nothing lies between the two without a reading. */
export function rankRange(
  readings: readonly EngineReading[],
  rank: number,
  of: (reading: RankReading) => number,
): Range {
  const values = readings.map(({ ranks }) => of(ranks[rank]!));
  return { low: Math.min(...values), high: Math.max(...values) };
}

/** The longest time between the end of one reading and the begin of the next; 0 for less than two. */
export function longestGapMs(readings: readonly EngineReading[]): number {
  return readings.reduce(
    (longest, { fromMs }, n) => n === 0 ? longest : Math.max(longest, fromMs - readings[n - 1]!.toMs),
    0,
  );
}

/** A range whose value moved may have been exceeded between two readings, by so much. */
export function loosened({ low, high }: Range, by: number): Range {
  return low < high ? { low: low - by, high: high + by } : { low, high };
}

/** The least and the greatest that all ranks can come to together, for what is shown of each may be of another moment. */
export function sumRange(
  readings: readonly EngineReading[],
  of: (reading: RankReading) => number,
): Range {
  const ranges = readings[0]?.ranks.map((_, rank) => rankRange(readings, rank, of)) ?? [];
  if (ranges.length === 0) return { low: Infinity, high: -Infinity };
  return {
    low: ranges.reduce((sum, { low }) => sum + low, 0),
    high: ranges.reduce((sum, { high }) => sum + high, 0),
  };
}

/** The tokens that were found in the prefix cache over those that were sought, between two readings. Undefined without any. */
export function hitRatio(
  from: readonly RankReading[],
  to: readonly RankReading[],
): number | undefined {
  const growth = (of: (reading: RankReading) => number) =>
    to.reduce((sum, reading) => sum + of(reading), 0) - from.reduce((sum, reading) => sum + of(reading), 0);
  const queries = growth(({ queries }) => queries);
  return queries === 0 ? undefined : growth(({ hits }) => hits) / queries;
}
