import { History } from "../deployment/history.ts";
import type { SnapshotSource } from "../output/broadcast.ts";
import { assetRoutes } from "../output/assets.ts";
import { FleetBytes, fleetRoute } from "../output/fleet_route.ts";
import { FleetStream } from "../output/fleet_stream.ts";
import { historyRoute } from "../output/history_route.ts";
import type { Routes } from "../output/server.ts";
import type { Clock } from "../timing.ts";

/** Where the build of the live page is; in an executable too. */
const ASSETS = new URL("../web/assets/", import.meta.url);

/** The live page and its API: what `--no-web` leaves out. Disposing ends the streams. */
export class Web implements Disposable {
  readonly routes: Routes;
  readonly #history: History;
  readonly #stream: FleetStream;

  constructor(
    options: {
      readonly snapshots: SnapshotSource;
      readonly clock: Clock;
      readonly pollIntervalMs: number;
      /** The program's. */
      readonly version: string;
    },
  ) {
    const { snapshots, clock } = options;
    const fleets = new FleetBytes(options.version);
    this.#history = new History(options);
    this.#stream = new FleetStream({ snapshots, fleets, clock });
    this.routes = new Map([
      ...assetRoutes(ASSETS),
      ["/api/v1/fleet", fleetRoute({ snapshot: () => snapshots.snapshot, fleets })],
      ["/api/v1/history", historyRoute(this.#history)],
      ["/api/v1/stream", () => this.#stream.answer()],
    ]);
  }

  /** Remembers what the Snapshots showed, until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#history.run(signal);
  }

  [Symbol.dispose](): void {
    this.#stream[Symbol.dispose]();
  }
}
