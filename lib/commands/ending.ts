import { logger } from "../log.ts";
import { onAbort } from "../timing.ts";

/** Logs that the program was told to end, and by which signal, when it is; until disposed of. */
export function logEnding(signal: AbortSignal): Disposable {
  return onAbort(signal, () => {
    logger().info("Received a signal, ending gracefully", { signal: (signal.reason as Error).message });
  });
}
