/** Load over some workers: how many, their mean blocks in use, and the population's standard deviation. */
export interface LoadAggregate {
  readonly workers: number;
  readonly avg: number;
  readonly std: number;
}

/** Undefined without workers, so that no average is ever NaN. Two passes, as Dynamo's own code computes it. */
export function aggregateLoad(activeBlocks: readonly number[]): LoadAggregate | undefined {
  const workers = activeBlocks.length;
  if (workers === 0) return undefined;
  const avg = activeBlocks.reduce((sum, blocks) => sum + blocks, 0) / workers;
  const squares = activeBlocks.reduce((sum, blocks) => sum + (blocks - avg) ** 2, 0);
  return { workers, avg, std: Math.sqrt(squares / workers) };
}
