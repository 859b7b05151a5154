import type { Change, Fleet, TargetChange, TargetName, Worker } from "../exposition/api_v1.ts";

/** The fleet after the change. */
export function withChange(before: Fleet, { targets, ...head }: Change): Fleet {
  const known = new Map(before.targets.map((target) => [pathOf(target), target.workers]));
  return {
    ...head,
    targets: targets.map((change) => {
      const { namespace, component, endpoint, up, needs_nats, aggregate } = change;
      const workers = workersAfter(known.get(pathOf(change)) ?? [], change);
      return { namespace, component, endpoint, up, needs_nats, aggregate, workers };
    }),
  };
}

/** Those that are in no list of the change gave a sign of life at its `seen_at`. */
function workersAfter(
  before: readonly Worker[],
  { changed, gone, seen_at, not_seen }: TargetChange,
): readonly Worker[] {
  const renewed = new Map(changed.map((worker) => [worker.id, worker]));
  const left = new Set(gone);
  const quiet = new Set(not_seen);
  const workers: Worker[] = [];
  for (const worker of before) {
    const { id } = worker;
    const renewal = renewed.get(id);
    if (renewal !== undefined) {
      workers.push(renewal);
      renewed.delete(id);
    } else if (left.has(id)) continue;
    else workers.push(seen_at === undefined || quiet.has(id) ? worker : { ...worker, last_seen_at: seen_at });
  }
  if (renewed.size === 0) return workers;
  return [...workers, ...renewed.values()].sort((a, b) => compareIds(a.id, b.id));
}

/** Decimal ids without leading zeros: the longer is the larger. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** `namespace/component/endpoint` */
export function pathOf({ namespace, component, endpoint }: TargetName): string {
  return `${namespace}/${component}/${endpoint}`;
}
