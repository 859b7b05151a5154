import { FleetView, pathOf, type TargetView } from "../lib/view/fleet_view.ts";
import type { FeedEvent, FeedListener } from "./feed.ts";
import { fleetMoment, Series } from "./series.ts";
import type { Aggregate, Alive, Change, Fleet, HistoryAnswer, TargetName } from "../lib/exposition/api_v1.ts";

/** The server was lost for a while, and came back. */
export interface Outage {
  /** When it began, in milliseconds of the server's clock. */
  readonly atMs: number;
  readonly seconds: number;
}

/** How many outages are remembered. */
const MAX_OUTAGES = 20;

/** Everything the page shows, and how old it is. */
export class Model implements FeedListener {
  readonly fleet = new FleetView();
  /** Grows with each message. */
  version = 0;
  /** When the server was lost, in milliseconds of `performance.now()`; undefined while it is there. */
  lostAtMs: number | undefined;
  /** Why it is lost, in a sentence. */
  lostWhy = "";
  /** The page is on its way to paper. */
  isPrinting = false;
  /** Those that this page saw and that are over, oldest first. */
  readonly outages: Outage[] = [];
  /** That of the program from which this page is, as far as it told. */
  #version: string | undefined;
  readonly #series = new Map<string, Series>();
  /** What each target's aggregate was at the moment before. */
  readonly #before = new Map<string, Aggregate>();
  /** The server's clock less `performance.now()`, by the message that was fastest. */
  #offsetMs = -Infinity;
  #chosen: string | undefined;
  readonly #changed: (options: { atOnce: boolean }) => void;

  /** `changed` is called when there is something new to show; `atOnce` when it should not wait. */
  constructor(changed: (options: { atOnce: boolean }) => void) {
    this.#changed = changed;
  }

  /** What the program is now, if this page is not of it. */
  get newVersion(): string | undefined {
    const { version } = this.fleet.head;
    return version === this.#version ? undefined : version ?? "of another version";
  }

  get hasState(): boolean {
    return this.version > 0;
  }

  /** The target that is looked at: the one that was chosen, else the first. */
  get target(): TargetView | undefined {
    const { targets } = this.fleet;
    return targets.find(({ name }) => pathOf(name) === this.#chosen) ?? targets[0];
  }

  choose(path: string): void {
    this.#chosen = path;
    this.#changed({ atOnce: true });
  }

  /** The server's clock, in milliseconds. While the server is lost it stands: nothing is known of later. */
  get nowMs(): number {
    if (this.lostAtMs !== undefined) return this.lostAtMs + this.#offsetMs;
    return performance.now() + this.#offsetMs;
  }

  series(name: TargetName): Series {
    const path = pathOf(name);
    let series = this.#series.get(path);
    if (series === undefined) this.#series.set(path, series = new Series());
    return series;
  }

  onMessage(event: FeedEvent, data: string): void {
    const message = JSON.parse(data);
    if (event === "state") this.onState(message);
    else if (event === "change") this.onChange(message);
    else if (event === "alive") this.onAlive(message);
  }

  onState(fleet: Fleet & Alive): void {
    this.#endOutage();
    if (!this.hasState) this.#version = fleet.version;
    this.fleet.replace(fleet);
    this.#offsetMs = -Infinity; // The server may be another one, with a clock of its own.
    this.onAlive(fleet);
    this.#took({ atOnce: true });
    void this.#remember();
  }

  onChange(change: Change & Alive): void {
    this.onAlive(change);
    this.fleet.apply(change);
    this.#took({ atOnce: false });
  }

  onAlive({ now }: Alive): void {
    this.#offsetMs = Math.max(this.#offsetMs, Date.parse(now) - performance.now());
  }

  onLost(why: string): void {
    this.lostWhy = why;
    this.lostAtMs ??= performance.now();
    this.#changed({ atOnce: true });
  }

  #endOutage(): void {
    if (this.lostAtMs === undefined) return;
    if (this.hasState) {
      this.outages.push({ atMs: this.nowMs, seconds: (performance.now() - this.lostAtMs) / 1_000 });
      if (this.outages.length > MAX_OUTAGES) this.outages.shift();
      for (const series of this.#series.values()) series.gap();
    }
    this.lostAtMs = undefined;
  }

  #took(options: { atOnce: boolean }): void {
    for (const { name, aggregate } of this.fleet.targets) {
      const path = pathOf(name);
      this.series(name).append(this.fleet.atMs / 1_000, fleetMoment(aggregate, this.#before.get(path)));
      this.#before.set(path, aggregate);
    }
    this.version++;
    this.#changed(options);
  }

  /** Without the past the charts begin now. */
  async #remember(): Promise<void> {
    const history = await readHistory();
    if (history === undefined) return;
    for (const { series, ...name } of history.targets) this.series(name).remember(history, series);
    this.version++;
    this.#changed({ atOnce: true });
  }
}

/** What the server remembers of the fleet, or of one worker; undefined when it cannot say. */
export async function readHistory(worker?: string): Promise<HistoryAnswer | undefined> {
  const query = worker === undefined ? "" : `?${new URLSearchParams({ worker })}`;
  try {
    const response = await fetch(`api/v1/history${query}`);
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}
