/**
 * Load over some workers: how many, the sum of their blocks in use and of the squares (so that aggregates of several
 * fleets can be made of these), the mean, and the population's standard deviation.
 */
export interface LoadAggregate {
  readonly workers: number;
  readonly blocks: number;
  readonly blocksSquared: number;
  readonly avg: number;
  readonly std: number;
}

/** Undefined without workers, so that no average is ever NaN. Two passes, as Dynamo's own code computes it. */
export function aggregateLoad(activeBlocks: readonly number[]): LoadAggregate | undefined {
  const workers = activeBlocks.length;
  if (workers === 0) return undefined;
  let blocks = 0;
  let blocksSquared = 0;
  for (const value of activeBlocks) {
    blocks += value;
    blocksSquared += value ** 2;
  }
  const avg = blocks / workers;
  let deviation = 0;
  for (const value of activeBlocks) deviation += (value - avg) ** 2;
  return { workers, blocks, blocksSquared, avg, std: Math.sqrt(deviation / workers) };
}
