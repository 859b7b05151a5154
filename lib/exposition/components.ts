import { compareWorkerIds, type WorkerId } from "../dynamo/worker_id.ts";
import type { TargetSnapshot } from "../fleet/snapshot.ts";
import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";

/**
 * The targets, those of one component put together with each worker once: a worker says something of all endpoints of its
 * component, whichever of these is watched.
 */
export function byComponent(
  targets: readonly TargetSnapshot[],
): Iterable<Pick<TargetSnapshot, "target" | "workers">> {
  if (targets.length === 1) return targets;
  const groups = Map.groupBy(
    targets,
    ({ target: { namespace, component } }) => JSON.stringify([namespace, component]),
  );
  return groups.values().map(([first, ...others]) =>
    others.length === 0 ? first! : { target: first!.target, workers: together([first!, ...others]) }
  );
}

function together(targets: readonly TargetSnapshot[]): WorkerSnapshot[] {
  const workers = new Map<WorkerId, WorkerSnapshot>();
  for (const target of targets) {
    for (const worker of target.workers) {
      const known = workers.get(worker.id);
      if (known === undefined || isNewer(worker, known)) workers.set(worker.id, worker);
    }
  }
  return [...workers.values()].sort((a, b) => compareWorkerIds(a.id, b.id));
}

/** Whether a worker's counters are newer than those of another target; one may have none while its rounds fail. */
function isNewer({ endpoints, lastAnswerAt }: WorkerSnapshot, than: WorkerSnapshot): boolean {
  if (endpoints.length === 0) return false;
  return than.endpoints.length === 0 ||
    (lastAnswerAt?.monotonicMs ?? 0) > (than.lastAnswerAt?.monotonicMs ?? 0);
}
