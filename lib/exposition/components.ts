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
    for (const worker of target.workers) if (!workers.has(worker.id)) workers.set(worker.id, worker);
  }
  return [...workers.values()].sort((a, b) => compareWorkerIds(a.id, b.id));
}
