import type { UnusedVariable } from "../cli/credentials.ts";
import { logger } from "../log.ts";

/** Warns once of each variable that is set for a server that is used, and does nothing. */
export function warnOfUnused(
  unused: readonly UnusedVariable[],
  used: { readonly nats: boolean; readonly etcd: boolean },
): void {
  for (const { server, variable, why } of unused) {
    if (server === "NATS" ? used.nats : used.etcd) {
      logger().warn("A variable is set that is not used", { variable, why });
    }
  }
}
