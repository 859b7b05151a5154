import { INSTANCE_KEY_LAYOUTS, instanceKeyPrefix, parseInstanceKey } from "../dynamo/instance_key.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { EtcdMirror } from "../transport/etcd_mirror.ts";

/** Who is registered for a target. `known` is false while etcd cannot say; `workers` is then who was last known. */
export interface Membership {
  readonly known: boolean;
  readonly workers: ReadonlySet<WorkerId>;
}

/** The keys below which the instances of a target are registered, in the layouts of all releases. */
export function membershipPrefixes(target: Target): string[] {
  return INSTANCE_KEY_LAYOUTS.map((layout) => instanceKeyPrefix(layout, target));
}

/** What the mirror says now of a target's instances. Keys that name no worker are passed over. */
export function readMembership(mirror: EtcdMirror, target: Target): Membership {
  const workers = new Set<WorkerId>();
  for (const prefix of membershipPrefixes(target)) {
    for (const key of mirror.keys(prefix)) {
      const worker = parseInstanceKey(key, prefix);
      if (worker !== undefined) workers.add(worker);
    }
  }
  return { known: mirror.connected, workers };
}
