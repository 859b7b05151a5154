import { serviceName } from "../dynamo/service_name.ts";
import { type Target, targetPath } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import { logger } from "../log.ts";
import { type EtcdLeaseOptions, EtcdLeases } from "../transport/etcd_lease.ts";
import { NatsLink, type NatsOptions } from "../transport/nats.ts";
import { ignoreStraySocketErrors } from "../transport/stray_errors.ts";
import type { EventCarrier } from "./event_channel.ts";
import { hostAddress } from "./host_address.ts";
import { MockNumbers } from "./numbers.ts";
import {
  DEFAULT_RELEASE,
  defaultEventPlane,
  type EventPlane,
  type Release,
  type ReleaseTraits,
  releaseTraits,
} from "./releases.ts";
import { ServiceGroup } from "./service_group.ts";
import { MockSpeech } from "./speech.ts";
import { SystemPage } from "./system_page.ts";
import { MockWorker } from "./worker.ts";

export interface MockWorkerOptions {
  readonly target: Target;
  /** Not connected to where the release needs none. */
  readonly nats: Omit<NatsOptions, "name" | "signal">;
  /** Without it the workers are on NATS alone, under random ids. */
  readonly etcd?: Omit<EtcdLeaseOptions, "signal">;
  readonly signal: AbortSignal;
  /** How many workers, each with a lease and, to 0.7.1, a service instance of its own. */
  readonly workers?: number;
  /** The same seed gives the same numbers in the same order; random when left out. */
  readonly seed?: string;
  /** The numbers depend on the seed and the worker alone, not on when or how often they are asked. */
  readonly steady?: boolean;
  readonly release?: Release;
  /** What a worker says by itself, once a second; on unless false. */
  readonly events?: boolean;
  /** For releases since 0.9.1, which choose one themselves where this is left out; ZMQ needs etcd. */
  readonly eventPlane?: EventPlane;
  /** Where the worker's own page is served, for releases since 0.6.0; with several workers 0, a free port for each. */
  readonly systemPort?: number;
}

export interface MockWorkers extends AsyncDisposable {
  /** The ids of those that can be found now: registered, and connected to NATS where they need it. */
  readonly ids: readonly WorkerId[];
}

/**
 * Starts workers that real clients find: a NATS service that answers statistics, or events on NATS or ZMQ, and keys under
 * a lease in etcd, as workers of the release have them. Returns at once; servers that are away are sought for ever, and
 * after each loss the workers register again. Disposing, or the signal, removes the keys. Requests are not served.
 *
 * @throws {BindError} when a port cannot be had
 */
export function startMockWorker(options: MockWorkerOptions): MockWorkers {
  ignoreStraySocketErrors();
  const { target, events = true, release = DEFAULT_RELEASE } = options;
  const traits = releaseTraits(release);
  const plane = options.eventPlane ?? defaultEventPlane(traits);
  const log = logger();
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const ends = new AsyncDisposableStack();

  log.info(`Starting Mock Worker on Endpoint: ${targetPath(target)}`);
  const link = plane === "nats" || traits.requests.plane === "nats"
    ? new NatsLink({ ...options.nats, name: `mock_worker ${targetPath(target)}`, signal })
    : undefined;
  let workers: readonly MockWorker[];
  try {
    workers = makeWorkers({ ...options, traits, plane, link, ends });
  } catch (error) {
    stop.abort();
    void ends.disposeAsync();
    throw error;
  }
  const registered = new Set<MockWorker>();
  const canBeFound = (worker: MockWorker) => (link?.connected ?? true) && registered.has(worker);
  const update = (worker: MockWorker) => {
    if (events && canBeFound(worker) && !signal.aborted) worker.talk();
    else worker.quiet();
  };

  link?.listen({ onChange: () => workers.forEach(update) });
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
    leases = new EtcdLeases(holders, { ttlSeconds: traits.leaseSeconds, ...options.etcd, signal });
  } else {
    for (const worker of workers) {
      worker.appear(worker.ownId);
      registered.add(worker);
      update(worker);
    }
  }

  return {
    get ids() {
      return workers.filter(canBeFound).map((worker) => worker.id!);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([
        leases?.[Symbol.asyncDispose](),
        link?.[Symbol.asyncDispose](),
        ends[Symbol.asyncDispose](),
      ]);
    },
  };
}

interface MakeOptions extends MockWorkerOptions {
  readonly traits: ReleaseTraits;
  readonly plane: EventPlane;
  readonly link: NatsLink | undefined;
  /** Takes the sockets and pages. */
  readonly ends: AsyncDisposableStack;
}

function makeWorkers(options: MakeOptions): readonly MockWorker[] {
  const { target, traits, link, ends, systemPort, steady = false } = options;
  const { seed = crypto.randomUUID(), workers: count = 1 } = options;
  const { requests, loadShape: shape } = traits;
  const host = requests.plane === "tcp" || systemPort !== undefined ? hostAddress() : undefined;
  const carrier: EventCarrier = options.plane === "nats"
    ? { plane: "nats", link: link! }
    : { plane: "zmq", host: host! };
  const group = requests.plane === "nats" && link
    ? new ServiceGroup(link, serviceName(requests.serviceForm, target.namespace, target.component))
    : undefined;
  return Array.from({ length: count }, (_, index) => {
    const numbers = new MockNumbers({ seed, index, shape, steady });
    const speech = ends.use(new MockSpeech({ target, traits, numbers, carrier, link }));
    const page = systemPort === undefined
      ? undefined
      : ends.use(new SystemPage({ port: systemPort, text: () => worker.page() }));
    const pageOrigin = page && `http://${host}:${page.port}`;
    const worker: MockWorker = new MockWorker({ target, traits, numbers, speech, group, host, pageOrigin });
    return worker;
  });
}
