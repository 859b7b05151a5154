import {
  type Applied,
  applyInParts,
  type ApplyOptions,
  type Fleet,
  type FleetInput,
} from "../../lib/fleet/fleet.ts";
import { whole } from "../../lib/fleet/parts.ts";
import { NO_HIT_RATES } from "../../lib/fleet/hit_rates.ts";
import {
  namespaceSnapshot,
  snapshotInParts,
  type SnapshotOptions,
  type TargetSnapshot,
} from "../../lib/fleet/snapshot.ts";

/** The fleet after `input`, at once; unless said otherwise all could be seen until now. */
export function apply(
  fleet: Fleet,
  input: AskedInput,
  options: Omit<ApplyOptions, "sight" | "request"> & Partial<ApplyOptions>,
): Applied {
  const sight = { sinceMs: -Infinity, untilMs: options.now.monotonicMs };
  const { request = 0 } = input;
  return whole(applyInParts(fleet, input, { sight, request, ...options }));
}

/** An input, and the newest question that was sent before it. */
export type AskedInput = FleetInput & { readonly request?: number };

/** What a fleet shows, at once; unless said otherwise its namespace shows nothing. */
export function snapshotTarget(
  fleet: Fleet,
  options: Omit<SnapshotOptions, "namespace"> & Partial<SnapshotOptions>,
): TargetSnapshot {
  const namespace = namespaceSnapshot(fleet.target.namespace, NO_HIT_RATES);
  return whole(snapshotInParts(fleet, { namespace, ...options }));
}
