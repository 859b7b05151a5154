import { MAX_NAMED } from "../dynamo/worker_id.ts";
import type { Snapshot } from "../fleet/snapshot.ts";
import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import { stuckText } from "../fleet/worker_texts.ts";

/** Why the Snapshot does not show all there is; empty when it does. */
export function degradedReasons({ nats, store, targets }: Snapshot): string[] {
  const reasons: string[] = [];
  const needsNats = targets.some((target) => target.needsNats);
  if (nats?.connected === false && needsNats) reasons.push("NATS is not connected");
  if (nats === undefined && needsNats) reasons.push("workers need NATS, which is left out");
  if (store?.connected === false) {
    reasons.push(store.kind === "etcd" ? "etcd is not connected" : "the file store cannot be read");
  }
  if (nats?.connected && targets.some(({ up, lastRound }) => lastRound && !up)) {
    reasons.push("the last round failed");
  }
  for (const { workers } of targets) reasons.push(...stuckReasons(workers));
  return reasons;
}

/** Names the first of the stuck workers; of many says how many there are. */
function stuckReasons(workers: readonly WorkerSnapshot[]): string[] {
  const stuck = workers.filter(({ stuckSeconds }) => stuckSeconds !== undefined);
  const reasons = stuck.slice(0, MAX_NAMED).map(({ id, numbers, stuckSeconds }) =>
    `worker ${id} is stuck: ${stuckText(numbers.requestsInFlight ?? 0, stuckSeconds!)}`
  );
  const more = stuck.length - reasons.length;
  return more > 0 ? [...reasons, `${more} more workers are stuck`] : reasons;
}
