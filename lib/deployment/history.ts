import { type Target, targetPath } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { HitRateTotals } from "../fleet/hit_rates.ts";
import type { Snapshot, TargetSnapshot } from "../fleet/snapshot.ts";
import { totalsOf } from "../fleet/totals.ts";
import { Cadence, type Clock, type Instant, sleep } from "../timing.ts";
import { Steps } from "./steps.ts";
import { WorkerRows, type WorkerSeries } from "./worker_rows.ts";

/** How far back the past goes, and what a worker's steps are. */
const SPAN_MS = 15 * 60_000;
const WORKER_STEP_MS = 10_000;

/** The series of a target; NaN where it was not known. */
const FLEET_SERIES = [
  "loadAvg",
  "loadStd",
  "kvUtilisation",
  "slotUtilisation",
  "requestsWaiting",
  "workers",
  "responding",
  "silent",
  "roundSeconds",
  "hitRate",
] as const;
export type FleetSeries = Readonly<Record<typeof FLEET_SERIES[number], readonly number[]>>;

/** Series of one length, oldest value first, the last of the moment `to`. */
export interface Past<Series> {
  readonly stepMs: number;
  readonly to: Instant;
  readonly targets: readonly { readonly target: Target; readonly series: Series }[];
}

export interface HistoryOptions {
  readonly snapshots: { readonly snapshot: Snapshot };
  readonly clock: Clock;
  readonly pollIntervalMs: number;
}

/**
 * The last fifteen minutes: of the fleet at the poll interval, of each worker at ten seconds. A value is what the newest
 * Snapshot showed at its moment; moments at which the program was held up are left out.
 */
export class History {
  readonly #options: HistoryOptions;
  readonly #fleetSteps: Steps;
  readonly #workerSteps: Steps;
  readonly #targets = new Map<string, TargetPast>();

  constructor(options: HistoryOptions) {
    const { clock, pollIntervalMs } = options;
    const now = clock();
    this.#options = options;
    this.#fleetSteps = new Steps(pollIntervalMs, Math.max(1, Math.floor(SPAN_MS / pollIntervalMs)), now);
    this.#workerSteps = new Steps(WORKER_STEP_MS, SPAN_MS / WORKER_STEP_MS, now);
  }

  /** Follows the Snapshots until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#repeat(this.#options.pollIntervalMs, () => this.takeFleet(), signal),
      this.#repeat(WORKER_STEP_MS, () => this.takeWorkers(), signal),
    ]);
  }

  /** Takes the fleet's values of this moment. */
  takeFleet(): void {
    const { snapshots, clock } = this.#options;
    const step = this.#fleetSteps.take(clock());
    for (const shown of snapshots.snapshot.targets) this.#pastOf(shown.target).fleet.write(shown, step);
  }

  /** Takes the workers' values of this moment. */
  takeWorkers(): void {
    const { snapshots, clock } = this.#options;
    const step = this.#workerSteps.take(clock());
    for (const { target, workers } of snapshots.snapshot.targets) {
      this.#pastOf(target).workers.write(workers, step);
    }
  }

  /** When the fleet's newest step was taken: until the next one its past is the same. */
  get fleetTo(): Instant {
    return this.#fleetSteps.to;
  }

  fleet(): Past<FleetSeries> {
    const { stepMs, to } = this.#fleetSteps;
    const positions = this.#fleetSteps.positions();
    const targets = this.#options.snapshots.snapshot.targets.map(({ target }) => ({
      target,
      series: this.#pastOf(target).fleet.read(positions),
    }));
    return { stepMs, to, targets };
  }

  /** Undefined of a worker that is not there now. */
  worker(id: WorkerId): Past<WorkerSeries> | undefined {
    const { stepMs, to } = this.#workerSteps;
    const positions = this.#workerSteps.positions();
    const targets = this.#options.snapshots.snapshot.targets
      .filter(({ workers }) => workers.some((worker) => worker.id === id))
      .map(({ target }) => ({ target, series: this.#pastOf(target).workers.read(id, positions) }));
    return targets.length === 0 ? undefined : { stepMs, to, targets };
  }

  /** What the arrays of all workers take. */
  get workerBytes(): number {
    return this.#targets.values().reduce((sum, { workers }) => sum + workers.byteLength, 0);
  }

  async #repeat(periodMs: number, act: () => void, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const cadence = new Cadence(periodMs, clock().monotonicMs);
    while (!signal.aborted) {
      act();
      await sleep(cadence.next(clock().monotonicMs), { signal });
    }
  }

  #pastOf(target: Target): TargetPast {
    const path = targetPath(target);
    let past = this.#targets.get(path);
    if (past === undefined) {
      past = {
        fleet: new FleetRow(this.#fleetSteps.capacity),
        workers: new WorkerRows(this.#workerSteps.capacity),
      };
      this.#targets.set(path, past);
    }
    return past;
  }
}

interface TargetPast {
  readonly fleet: FleetRow;
  readonly workers: WorkerRows;
}

/** The past of one target. */
class FleetRow {
  readonly #arrays: Readonly<Record<keyof FleetSeries, Float64Array<ArrayBuffer>>>;
  #hitRates: HitRateTotals = { islBlocks: 0, overlapBlocks: 0 };

  constructor(steps: number) {
    this.#arrays = bySeries(() => new Float64Array(steps).fill(NaN));
  }

  write(
    shown: TargetSnapshot,
    { at, leftOut }: { readonly at: number; readonly leftOut: readonly number[] },
  ): void {
    const values = this.#valuesOf(shown);
    for (const name of FLEET_SERIES) {
      for (const position of leftOut) this.#arrays[name][position] = NaN;
      this.#arrays[name][at] = values[name] ?? NaN;
    }
  }

  read(positions: readonly number[]): FleetSeries {
    return bySeries((name) => positions.map((at) => this.#arrays[name][at]!));
  }

  #valuesOf(
    { workers, workersByState, load, lastRound, namespace: { hitRateTotals } }: TargetSnapshot,
  ): Record<keyof FleetSeries, number | undefined> {
    const { kvUtilisation, slotUtilisation, requestsWaiting } = totalsOf(workers);
    const before = this.#hitRates;
    this.#hitRates = hitRateTotals;
    return {
      loadAvg: load?.avg,
      loadStd: load?.std,
      kvUtilisation,
      slotUtilisation,
      requestsWaiting,
      workers: workers.length,
      responding: workersByState.responding,
      silent: workersByState.silent,
      roundSeconds: lastRound && !lastRound.failed
        ? (lastRound.endedAt.monotonicMs - lastRound.sentAt.monotonicMs) / 1_000
        : undefined,
      // Without events it is nothing by nothing, which is no number.
      hitRate: (hitRateTotals.overlapBlocks - before.overlapBlocks) /
        (hitRateTotals.islBlocks - before.islBlocks),
    };
  }
}

function bySeries<T>(make: (name: keyof FleetSeries) => T): Record<keyof FleetSeries, T> {
  return Object.fromEntries(FLEET_SERIES.map((name) => [name, make(name)])) as Record<keyof FleetSeries, T>;
}
