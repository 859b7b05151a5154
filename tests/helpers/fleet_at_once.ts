import {
  type Applied,
  applyInParts,
  type ApplyOptions,
  type Fleet,
  type FleetInput,
} from "../../lib/fleet/fleet.ts";
import { whole } from "../../lib/fleet/parts.ts";
import { snapshotInParts, type SnapshotOptions, type TargetSnapshot } from "../../lib/fleet/snapshot.ts";

/** The fleet after `input`, at once. */
export function apply(fleet: Fleet, input: FleetInput, options: ApplyOptions): Applied {
  return whole(applyInParts(fleet, input, options));
}

/** What a fleet shows, at once. */
export function snapshotTarget(fleet: Fleet, options: SnapshotOptions): TargetSnapshot {
  return whole(snapshotInParts(fleet, options));
}
