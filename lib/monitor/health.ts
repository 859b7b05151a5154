import type { Snapshot } from "../fleet/snapshot.ts";

/** Why the Snapshot does not show all there is; empty when it does. */
export function degradedReasons({ nats, etcd, targets }: Snapshot): string[] {
  const reasons: string[] = [];
  const needsNats = targets.some((target) => target.needsNats);
  if (nats?.connected === false && needsNats) reasons.push("NATS is not connected");
  if (etcd?.connected === false) reasons.push("etcd is not connected");
  if (nats?.connected && targets.some(({ up, lastRound }) => lastRound && !up)) {
    reasons.push("the last round failed");
  }
  return reasons;
}
