import { serviceName } from "../dynamo/service_name.ts";
import { type Target, targetPath } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import { logger } from "../log.ts";
import { type EtcdLeaseOptions, EtcdLeases } from "../transport/etcd_lease.ts";
import { NatsLink, type NatsOptions } from "../transport/nats.ts";
import { MockNumbers } from "./numbers.ts";
import { DEFAULT_RELEASE, type Release, RELEASES } from "./releases.ts";
import { ServiceGroup } from "./service_group.ts";
import { MockWorker } from "./worker.ts";

export interface MockWorkerOptions {
  readonly target: Target;
  readonly nats: Omit<NatsOptions, "name" | "signal">;
  /** Without it the workers are on NATS alone, under random ids. */
  readonly etcd?: Omit<EtcdLeaseOptions, "signal">;
  readonly signal: AbortSignal;
  /** How many workers, each with a lease and a service instance of its own. */
  readonly workers?: number;
  /** The same seed gives the same numbers in the same order; random when left out. */
  readonly seed?: string;
  /** The numbers depend on the seed and the worker alone, not on when or how often they are asked. */
  readonly steady?: boolean;
  readonly release?: Release;
  /** `kv-hit-rate` events, one a second from each worker; on unless false. */
  readonly events?: boolean;
}

export interface MockWorkers extends AsyncDisposable {
  /** The ids of those that can be found now: registered, and connected to NATS. */
  readonly ids: readonly WorkerId[];
}

/**
 * Starts workers that real clients find: a NATS service that answers statistics, a key under a lease in etcd, and
 * `kv-hit-rate` events. Returns at once; servers that are away are sought for ever, and after each loss the workers
 * register again. Disposing, or the signal, removes the keys. Requests are not served.
 */
export function startMockWorker(options: MockWorkerOptions): MockWorkers {
  const { target, events = true, release = DEFAULT_RELEASE, steady = false } = options;
  const { seed = crypto.randomUUID(), workers: count = 1 } = options;
  const log = logger();
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const traits = RELEASES[release];
  const service = serviceName(traits.serviceForm, target.namespace, target.component);

  log.info(`Starting Mock Worker on Endpoint: ${targetPath(target)}`);
  const link = new NatsLink({ ...options.nats, name: `mock_worker ${targetPath(target)}`, signal });
  const group = new ServiceGroup(link, service);
  const workers = Array.from({ length: count }, (_, index) => {
    const numbers = new MockNumbers({ seed, index, shape: traits.loadShape, steady });
    return new MockWorker({ target, service, traits, numbers, group, link });
  });
  const registered = new Set<MockWorker>();
  const canBeFound = (worker: MockWorker) => link.connected && registered.has(worker);
  const update = (worker: MockWorker) => {
    if (events && canBeFound(worker) && !signal.aborted) worker.talk();
    else worker.quiet();
  };

  link.listen({ onChange: () => workers.forEach(update) });
  signal.addEventListener("abort", () => workers.forEach(update));

  let leases: EtcdLeases | undefined;
  if (options.etcd) {
    const holders = workers.map((worker) => ({
      onGranted: (id: WorkerId) => worker.appear(id),
      onWritten: () => {
        registered.add(worker);
        update(worker);
      },
      onLost: () => {
        registered.delete(worker);
        worker.vanish();
        update(worker);
      },
    }));
    leases = new EtcdLeases(holders, { ...options.etcd, signal });
  } else {
    for (const worker of workers) {
      worker.appear(worker.ownId);
      registered.add(worker);
    }
  }

  return {
    get ids() {
      return workers.filter(canBeFound).map((worker) => worker.id!);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([leases?.[Symbol.asyncDispose](), link[Symbol.asyncDispose]()]);
    },
  };
}
