import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { SHAPE } from "./engine.ts";
import {
  type EngineReading,
  longestGapMs,
  loosened,
  type Range,
  rankRange,
  type RankReading,
  sumRange,
} from "./engine_reading.ts";
import type { Quantity } from "./engine_seconds.ts";
import { numbersOf, RANK_SERIES, rankNumbersOf, SERIES } from "./shown.ts";

/** What our page says of the worker that its own page says too. */
export function quantitiesOf(id: WorkerId): readonly Quantity[] {
  return [
    {
      name: "running",
      shown: (page) => numbersOf(page, SERIES.running, [id])[0],
      range: (readings) => sumRange(readings, ({ running }) => running),
    },
    {
      name: "waiting",
      shown: (page) => numbersOf(page, SERIES.waiting, [id])[0],
      range: (readings) => sumRange(readings, ({ waiting }) => waiting),
    },
    {
      name: "KV blocks in use",
      shown: (page) => numbersOf(page, SERIES.used, [id])[0],
      range: (readings) =>
        loosened(sumRange(readings, ({ used }) => used), SHAPE.ranks * blocksBetween(readings)),
    },
    ...Array.from({ length: SHAPE.ranks }, (_, rank): Quantity => ({
      name: `usage of rank ${rank}`,
      shown: (page) => rankNumbersOf(page, RANK_SERIES.usage, { id, ranks: SHAPE.ranks })[rank],
      range: (readings) => usageRange(readings, rank),
    })),
    {
      name: "in flight",
      shown: (page) => numbersOf(page, SERIES.inFlight, [id])[0],
      range: (readings) => {
        const values = readings.map(({ inFlight }) => inFlight);
        return { low: Math.min(...values), high: Math.max(...values) };
      },
    },
  ];
}

/** Seen of this model on two cores, at most. */
const PASSES_PER_SECOND = 125;

/**
 * What a rank may use more or less between two readings than at either: a pass makes one token of each request, which
 * takes a block for every 32 of them.
 */
function blocksBetween(readings: readonly EngineReading[]): number {
  const passes = longestGapMs(readings) / 1_000 * PASSES_PER_SECOND;
  return SHAPE.slots * Math.ceil(passes / SHAPE.blockTokens);
}

/** vLLM's usage is of all blocks but one. Of all blocks, as from an event, it is a little less: both are allowed. */
function usageRange(readings: readonly EngineReading[], rank: number): Range {
  const said = rankRange(readings, rank, ({ usage }: RankReading) => usage);
  const { low, high } = loosened(said, blocksBetween(readings) / SHAPE.blocks);
  return { low: low * (SHAPE.blocks - 1) / SHAPE.blocks - ROUNDING, high: high + ROUNDING };
}

const ROUNDING = 1e-9;
