import { workerIdFromInteger } from "../../lib/dynamo/worker_id.ts";
import type { Snapshot } from "../../lib/fleet/snapshot.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import { responding, snapshot } from "./shown_fleet.ts";

/** A Snapshot of many workers, each of which says all there is to say; all have `seq` blocks in use. */
export function largeSnapshot(seq: number, options: { readonly workers: number }): Snapshot {
  const workers: WorkerSnapshot[] = Array.from({ length: options.workers }, (_, n) => ({
    ...responding,
    id: workerIdFromInteger(n + 1)!,
    numbers: { ...responding.numbers, activeBlocks: seq },
  }));
  return { ...snapshot, seq, targets: [{ ...snapshot.targets[0]!, workers }] };
}
