import type { Change, Fleet, Numbers, TargetChange, TargetName, Worker } from "../exposition/api_v1.ts";
import { lastChanges } from "../fleet/last_changes.ts";
import { findingsAfter } from "../view/told_findings.ts";
import { putNumbers } from "../view/put_numbers.ts";

/** The fleet after the change. */
export function withChange(before: Fleet, { targets, ...head }: Change): Fleet {
  const known = new Map(before.targets.map((target) => [pathOf(target), target]));
  const { version } = before; // Told with the state alone: it is the program's.
  return {
    ...findingsAfter(before, head),
    ...head,
    ...(version !== undefined && { version }),
    targets: targets.map((change) => {
      const { changes = [], changed, numbers, gone, seen_at, not_seen, ...head } = change;
      const target = known.get(pathOf(change));
      return {
        ...head,
        changes: lastChanges([...target?.changes ?? [], ...changes]),
        workers: workersAfter(target?.workers ?? [], { changed, numbers, gone, seen_at, not_seen }),
      };
    }),
  };
}

type WorkersChange =
  & Pick<TargetChange, "changed" | "gone" | "not_seen">
  & {
    readonly [Name in "numbers" | "seen_at"]: TargetChange[Name] | undefined;
  };

/** All but those that changed, and those that were not seen, gave a sign of life at `seen_at`. */
function workersAfter(
  before: readonly Worker[],
  { changed, numbers, gone, seen_at, not_seen }: WorkersChange,
): readonly Worker[] {
  const renewed = new Map(changed.map((worker) => [worker.id, worker]));
  const left = new Set(gone);
  const quiet = new Set(not_seen);
  const known = numbers && withNumbers(before, numbers);
  const workers: Worker[] = [];
  for (const old of before) {
    const { id } = old;
    const worker = known?.get(id) ?? old;
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

/** The workers of whom numbers are told, with these. */
function withNumbers(before: readonly Worker[], numbers: Numbers): ReadonlyMap<string, Worker> {
  const ids = new Set(numbers.id);
  const copies = new Map(before.filter(({ id }) => ids.has(id)).map((worker) => [worker.id, copyOf(worker)]));
  putNumbers(numbers, numbers.id.flatMap((id) => copies.get(id) ?? []));
  return copies;
}

/** A record of our own, to write numbers to. */
function copyOf(worker: Worker): Worker {
  const { ranks, estimates, endpoints } = worker;
  return {
    ...worker,
    ...(ranks && { ranks: ranks.map((rank) => ({ ...rank })) }),
    ...(estimates && { estimates: estimates.map((estimate) => ({ ...estimate })) }),
    ...(endpoints && { endpoints: endpoints.map((endpoint) => ({ ...endpoint })) }),
  };
}

/** Decimal ids without leading zeros: the longer is the larger. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** `namespace/component/endpoint` */
export function pathOf({ namespace, component, endpoint }: TargetName): string {
  return `${namespace}/${component}/${endpoint}`;
}
