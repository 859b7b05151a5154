import type { Snapshot } from "../fleet/snapshot.ts";

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
  return reasons;
}
