import { workerIdFromDecimal } from "../dynamo/worker_id.ts";
import { fleetJson } from "../exposition/fleet_json.ts";
import { fleetHistoryJson, workerHistoryJson } from "../exposition/history_json.ts";
import type { Snapshot } from "../fleet/snapshot.ts";
import type { Deployment } from "../deployment/deployment.ts";
import { History } from "../deployment/history.ts";
import type { Clock } from "../timing.ts";
import type { Fleet, HistoryAnswer } from "../exposition/api_v1.ts";
import type { FleetSource, Reading } from "./source.ts";

export interface DeploymentSourceOptions {
  readonly deployment: Pick<Deployment, "snapshot" | "subscribe" | "run">;
  readonly clock: Clock;
  readonly pollIntervalMs: number;
}

/** A deployment watched by this process, seen as the API would tell it. */
export class DeploymentSource implements FleetSource {
  readonly url = undefined;
  readonly #options: DeploymentSourceOptions;
  readonly #history: History;
  #told: { readonly snapshot: Snapshot; readonly fleet: Fleet } | undefined;

  constructor(options: DeploymentSourceOptions) {
    const { deployment, clock, pollIntervalMs } = options;
    this.#options = options;
    this.#history = new History({ snapshots: deployment, clock, pollIntervalMs });
  }

  read(): Reading {
    const { deployment: { snapshot }, clock } = this.#options;
    if (this.#told?.snapshot !== snapshot) {
      this.#told = { snapshot, fleet: JSON.parse([...fleetJson(snapshot)].join("")) };
    }
    const { fleet } = this.#told!;
    return {
      fleet,
      ageMs: clock().monotonicMs - snapshot.at.monotonicMs,
      isLost: false,
      problem: undefined,
    };
  }

  subscribe(listener: () => void): Disposable {
    return this.#options.deployment.subscribe(listener);
  }

  past(worker?: string): Promise<HistoryAnswer | undefined> {
    return Promise.resolve(worker === undefined ? this.#fleetPast() : this.#workerPast(worker));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#options.deployment.run(signal), this.#history.run(signal)]);
  }

  #fleetPast(): HistoryAnswer {
    return JSON.parse([...fleetHistoryJson(this.#history.fleet())].join(""));
  }

  #workerPast(id: string): HistoryAnswer | undefined {
    const past = this.#history.worker(workerIdFromDecimal(id)!);
    return past && JSON.parse([...workerHistoryJson(past)].join(""));
  }
}
