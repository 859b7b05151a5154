import {
  type Applied,
  applyInParts,
  type ApplyOptions,
  type Fleet,
  type FleetInput,
} from "../../lib/fleet/fleet.ts";
import { whole } from "../../lib/fleet/parts.ts";
import { snapshotInParts, type SnapshotOptions, type TargetSnapshot } from "../../lib/fleet/snapshot.ts";

/** The fleet after `input`, at once; unless said otherwise all could be seen until now. */
export function apply(
  fleet: Fleet,
  input: FleetInput,
  options: Omit<ApplyOptions, "sight"> & Partial<ApplyOptions>,
): Applied {
  const sight = { sinceMs: -Infinity, untilMs: options.now.monotonicMs };
  return whole(applyInParts(fleet, input, { sight, ...options }));
}

/** What a fleet shows, at once. */
export function snapshotTarget(fleet: Fleet, options: SnapshotOptions): TargetSnapshot {
  return whole(snapshotInParts(fleet, options));
}
