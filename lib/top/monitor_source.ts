import { degradedReasons } from "../findings/findings.ts";
import { workerIdFromDecimal } from "../dynamo/worker_id.ts";
import { fleetJson } from "../exposition/fleet_json.ts";
import { fleetHistoryJson, workerHistoryJson } from "../exposition/history_json.ts";
import type { Snapshot } from "../fleet/snapshot.ts";
import { History } from "../monitor/history.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Clock } from "../timing.ts";

import type { Fleet, HistoryAnswer } from "../exposition/api_v1.ts";
import type { FleetSource, Reading } from "./source.ts";

export interface MonitorSourceOptions {
  readonly monitor: Pick<Monitor, "snapshot" | "subscribe" | "run">;
  readonly clock: Clock;
  readonly pollIntervalMs: number;
  /** The last thing that went wrong. */
  readonly problem: () => string | undefined;
}

/** A monitor in this process, seen as the API would tell it. */
export class MonitorSource implements FleetSource {
  readonly url = undefined;
  readonly #options: MonitorSourceOptions;
  readonly #history: History;
  #told: { readonly snapshot: Snapshot; readonly fleet: Fleet } | undefined;

  constructor(options: MonitorSourceOptions) {
    const { monitor, clock, pollIntervalMs } = options;
    this.#options = options;
    this.#history = new History({ snapshots: monitor, clock, pollIntervalMs });
  }

  read(): Reading {
    const { monitor: { snapshot }, clock, problem } = this.#options;
    if (this.#told?.snapshot !== snapshot) {
      this.#told = { snapshot, fleet: JSON.parse([...fleetJson(snapshot)].join("")) };
    }
    const { fleet } = this.#told!;
    const isWhole = degradedReasons(snapshot).length === 0 && snapshot.targets.every(({ up }) => up);
    return {
      fleet,
      ageMs: clock().monotonicMs - snapshot.at.monotonicMs,
      isLost: false,
      problem: isWhole ? undefined : problem(),
    };
  }

  subscribe(listener: () => void): Disposable {
    return this.#options.monitor.subscribe(listener);
  }

  past(worker?: string): Promise<HistoryAnswer | undefined> {
    return Promise.resolve(worker === undefined ? this.#fleetPast() : this.#workerPast(worker));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#options.monitor.run(signal), this.#history.run(signal)]);
  }

  #fleetPast(): HistoryAnswer {
    return JSON.parse([...fleetHistoryJson(this.#history.fleet())].join(""));
  }

  #workerPast(id: string): HistoryAnswer | undefined {
    const past = this.#history.worker(workerIdFromDecimal(id)!);
    return past && JSON.parse([...workerHistoryJson(past)].join(""));
  }
}
