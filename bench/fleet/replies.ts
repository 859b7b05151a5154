import { serviceName } from "../../lib/dynamo/service_name.ts";
import { instanceSubject } from "../../lib/dynamo/subject.ts";
import type { Target } from "../../lib/dynamo/target.ts";
import { type WorkerId, workerIdFromInteger } from "../../lib/dynamo/worker_id.ts";
import { statsText } from "../../lib/micro/replies.ts";

/** Whom the fleets play: the names that a deployment of Dynamo's own examples has. */
export const TARGET: Target = { namespace: "dynamo", component: "backend", endpoint: "generate" };

/** Of which release the workers are: flat records, which the original reads too, or nested ones. */
export type FleetRelease = "0.1.1" | "0.6.0";

const SERVICE_FORMS = { "0.1.1": "B", "0.6.0": "C" } as const;
/** What the NATS services of both releases say. */
const SERVICE_VERSION = "0.0.1";

/** The service under which the workers of a release answer. */
export function fleetService(release: FleetRelease): string {
  return serviceName(SERVICE_FORMS[release], TARGET.namespace, TARGET.component);
}

/** The n-th worker's id, as etcd gives leases to programs that start one after the other. */
export function fleetWorker(n: number): WorkerId {
  return workerIdFromInteger(FIRST_LEASE + BigInt(n) * 2n)!;
}

const FIRST_LEASE = 0x3cf6_a20b_9c27_a001n;

/**
 * The `$SRV.STATS` reply of one worker with one endpoint, to the field what real workers of the release send. Its numbers
 * differ from worker to worker and from `turn` to `turn`; a worker's names and texts stay the same.
 */
export function replyText(n: number, { release, turn }: { release: FleetRelease; turn: number }): string {
  const service = fleetService(release);
  const subject = instanceSubject(service, TARGET.endpoint, fleetWorker(n));
  const started = new Date(FIRST_START_MS + 1_000 * n).toISOString().replace("Z", "749153Z");
  return statsText({
    name: service,
    id: `Ciqi6S8rsLKeGO0B${n.toString(36).toUpperCase().padStart(6, "0")}`,
    version: SERVICE_VERSION,
    description: "",
    started,
    endpoints: [{
      name: subject.replace(".", "-"),
      subject,
      data: () => JSON.stringify(record(n, { release, turn })),
    }],
  });
}

const FIRST_START_MS = Date.UTC(2026, 10, 24, 3, 38);

function record(n: number, { release, turn }: { release: FleetRelease; turn: number }): object {
  const draw = (below: number, salt: number) => (Math.imul(n + 1, 2_654_435_761) + turn * salt >>> 8) % below;
  const totalBlocks = 10_000;
  const activeBlocks = draw(totalBlocks, 7_919);
  const worker = {
    request_active_slots: draw(256, 104_729),
    request_total_slots: 256,
    num_requests_waiting: draw(40, 15_485_863),
  };
  const cache = {
    kv_active_blocks: activeBlocks,
    kv_total_blocks: totalBlocks,
    // Engines work with 32-bit floats, and JSON has them as 64-bit ones: many digits.
    gpu_cache_usage_perc: Math.fround(activeBlocks / totalBlocks),
    gpu_prefix_cache_hit_rate: Math.fround(draw(1_000, 32_452_843) / 1_000),
  };
  if (release === "0.1.1") return { ...worker, ...cache };
  return {
    worker_stats: { data_parallel_rank: null, ...worker },
    kv_stats: cache,
    spec_decode_stats: null,
  };
}
