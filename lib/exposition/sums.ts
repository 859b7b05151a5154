import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import type { Source } from "./family.ts";

type Workers = readonly WorkerSnapshot[];

/** The sum or mean over the workers that have the value; undefined when none has. */
export function workersSum(
  { how, value }: Extract<Source, { per: "workers" }>,
  workers: Workers,
): number | undefined {
  let sum = 0;
  let count = 0;
  for (const worker of workers) {
    const number = value(worker);
    if (number === undefined) continue;
    sum += number;
    count++;
  }
  if (count === 0) return undefined;
  return how === "mean" ? sum / count : sum;
}

/** Sums by the value of a label, over all workers that have some. */
export function workersSums(
  { visit }: Extract<Source, { per: "workers_by" }>,
  workers: Workers,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  const add = (key: string, value: number | undefined) => {
    if (value !== undefined) sums.set(key, (sums.get(key) ?? 0) + value);
  };
  for (const worker of workers) visit(worker, add);
  return sums;
}
