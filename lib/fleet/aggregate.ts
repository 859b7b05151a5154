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
  const sum = (values: (blocks: number) => number) =>
    activeBlocks.reduce((sum, blocks) => sum + values(blocks), 0);
  const blocks = sum((blocks) => blocks);
  const avg = blocks / workers;
  const std = Math.sqrt(sum((blocks) => (blocks - avg) ** 2) / workers);
  return { workers, blocks, blocksSquared: sum((blocks) => blocks ** 2), avg, std };
}
