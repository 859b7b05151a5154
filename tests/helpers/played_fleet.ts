import { UNTROUBLED } from "./plain_worker.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import type { Target } from "../../lib/dynamo/target.ts";
import { aggregateLoad } from "../../lib/fleet/aggregate.ts";
import { NO_HIT_RATES } from "../../lib/fleet/hit_rates.ts";
import { namespaceSnapshot, type Snapshot } from "../../lib/fleet/snapshot.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import { History } from "../../lib/deployment/history.ts";
import { assetRoutes } from "../../lib/output/assets.ts";
import { FleetBytes, fleetRoute } from "../../lib/output/fleet_route.ts";
import { FleetStream, type FleetStreamOptions } from "../../lib/output/fleet_stream.ts";
import { historyRoute } from "../../lib/output/history_route.ts";
import { type MetricsServer, startServer } from "../../lib/output/server.ts";
import { type Instant, systemClock } from "../../lib/timing.ts";
import { natsConnection, storeConnection } from "./connections.ts";
import { target } from "./deployment.ts";

export interface PlayedFleetOptions extends Pick<FleetStreamOptions, "maxReaders"> {
  /** The usual one when left out. */
  readonly target?: Target;
}

/**
 * The live page and its API over Snapshots of a test's own making, for what real workers cannot be brought to show. It is
 * served by the program's server and stream.
 */
export class PlayedFleet implements AsyncDisposable {
  snapshot: Snapshot;
  /** How often `/api/v1/stream` was asked for. */
  streamsAsked = 0;
  /** How long ago what is published is. */
  #agoMs = 0;
  readonly #history: History;
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  readonly #options: Pick<FleetStreamOptions, "maxReaders">;
  #fleets!: FleetBytes;
  #stream: FleetStream | undefined;
  readonly #server: MetricsServer;

  readonly #target: Target;

  constructor({ target: watched = target, ...options }: PlayedFleetOptions = {}) {
    this.#target = watched;
    this.snapshot = snapshotOf(0, [], { target: watched, at: systemClock() });
    this.#options = options;
    this.#history = new History({
      snapshots: this,
      clock: () => this.#clock(),
      pollIntervalMs: PAST_STEP_MS,
    });
    this.upgrade(undefined);
    const routes = new Map(
      [
        ...assetRoutes(new URL("../../lib/web/assets/", import.meta.url)),
        [
          "/api/v1/fleet",
          (request: Request, url: URL) =>
            fleetRoute({ snapshot: () => this.snapshot, fleets: this.#fleets })(request, url),
        ],
        ["/api/v1/history", historyRoute(this.#history)],
        ["/api/v1/stream", () => {
          this.streamsAsked++;
          return this.#stream!.answer();
        }],
      ] as const,
    );
    this.#server = startServer({ host: "127.0.0.1", port: 0, routes, drainMs: 100 });
  }

  get url(): string {
    return `http://${this.#server.address}`;
  }

  subscribe(listener: (snapshot: Snapshot) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Makes these the workers that there were in the last 15 minutes: `moment` goes from 0 to 89. */
  remember(workersAt: (moment: number) => readonly WorkerSnapshot[]): void {
    for (let moment = 0; moment < PAST_STEPS; moment++) {
      this.#agoMs = (PAST_STEPS - moment) * PAST_STEP_MS;
      this.publish(workersAt(moment));
      this.#history.takeFleet();
      this.#history.takeWorkers();
    }
    this.#agoMs = 0;
  }

  /** As if the program had been started anew, in this version: its streams end. */
  upgrade(version: string | undefined): void {
    this.#stream?.[Symbol.dispose]();
    this.#fleets = new FleetBytes(version);
    this.#stream = new FleetStream({ snapshots: this, fleets: this.#fleets, ...this.#options });
  }

  /** Makes these the workers that there are. */
  publish(workers: readonly WorkerSnapshot[]): void {
    this.snapshot = snapshotOf(this.snapshot.seq + 1, workers, { target: this.#target, at: this.#clock() });
    for (const listener of this.#listeners) listener(this.snapshot);
  }

  #clock(): Instant {
    const { monotonicMs, epochMs } = systemClock();
    return { monotonicMs: monotonicMs - this.#agoMs, epochMs: epochMs - this.#agoMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream![Symbol.dispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

const PAST_STEP_MS = 10_000;
const PAST_STEPS = 90;

/** A worker that answers, but for what is told. */
export function playedWorker(id: string, more: Partial<WorkerSnapshot> = {}): WorkerSnapshot {
  return {
    blocksAt: undefined,
    id: id as WorkerId,
    state: "responding",
    hasFallenSilent: false,
    registered: true,
    lastAnswerAt: systemClock(),
    load: undefined,
    numbers: { activeBlocks: 40, totalBlocks: 100, activeSlots: 2, totalSlots: 8, requestsWaiting: 0 },
    ranks: [],
    estimates: [],
    channels: new Set(["stats"]),
    card: undefined,
    service: undefined,
    release: undefined,
    endpoints: [],
    ...UNTROUBLED,
    ...more,
  };
}

function snapshotOf(
  seq: number,
  workers: readonly WorkerSnapshot[],
  { target, at }: { readonly target: Target; readonly at: Instant },
): Snapshot {
  const workersByState = { discovered: 0, responding: 0, no_data: 0, undecodable: 0, silent: 0 };
  for (const { state } of workers) workersByState[state]++;
  const blocks = workers.flatMap(({ numbers: { activeBlocks } }) => activeBlocks ?? []);
  const namespace = namespaceSnapshot(target.namespace, NO_HIT_RATES);
  return {
    seq,
    at,
    connections: [natsConnection(), storeConnection()],
    namespaces: [namespace],
    targets: [{
      target,
      namespace,
      up: true,
      needsNats: true,
      lastRound: {
        request: seq,
        failed: false,
        sentAt: { ...at, monotonicMs: at.monotonicMs - 40 - seq % 7 },
        endedAt: at,
        expected: workers.length,
        answered: workersByState.responding,
        decoded: workersByState.responding,
        answeredTwice: 0,
      },
      lastGoodRoundAt: at,
      lastCompleteRoundAt: at,
      membershipFromEtcd: true,
      workers,
      workersByState,
      load: aggregateLoad(blocks),
      changesAtMs: Infinity,
      changes: { log: [], losses: [], since: undefined },
      registeredInstead: [],
      loadFrom: undefined,
    }],
  };
}
