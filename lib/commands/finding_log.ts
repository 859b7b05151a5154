import { findingsOf } from "../findings/findings.ts";
import type { FindingCode } from "../findings/codes.ts";
import type { Snapshot } from "../fleet/snapshot.ts";
import { logger } from "../log.ts";

const CODE: FindingCode = "publisher_unreachable";
/**
 * Warns of publishers that are announced and cannot be reached: once when there are some, and again when there were none
 * meanwhile. Until the result is disposed of.
 */
export function logUnreachablePublishers(
  snapshots: { subscribe(listener: (snapshot: Snapshot) => void): Disposable },
): Disposable {
  let isSaid = false;
  return snapshots.subscribe((snapshot) => {
    const { listed, counts } = findingsOf(snapshot);
    const publishers = counts.get(CODE)!;
    if (publishers === 0 && isSaid) {
      logger().info("All publishers of workers' events are reached again, or gone");
    }
    if (publishers > 0 && !isSaid) {
      const found = listed.filter(({ code }) => code === CODE);
      logger().warn("Publishers of workers' events cannot be reached", {
        publishers,
        first: found[0]?.text,
        cause: found[0]?.hint,
        finding: CODE,
      });
    }
    isSaid = publishers > 0;
  });
}
