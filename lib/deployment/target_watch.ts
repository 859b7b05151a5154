import { Directory } from "../discovery/directory.ts";
import type { PageTarget } from "../discovery/page_targets.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { Channel } from "../events/observation.ts";
import {
  applyInParts,
  emptyFleet,
  expectedWorkers,
  type Fleet,
  type FleetInput,
  type Notes,
} from "../fleet/fleet.ts";
import { type Parts, whole } from "../fleet/parts.ts";
import { snapshotInParts, type TargetSnapshot } from "../fleet/snapshot.ts";
import type { FleetLimits } from "../fleet/worker.ts";
import { WorkerPages } from "../pages/worker_pages.ts";
import { Scraper } from "../scrape/scraper.ts";
import { Alarm, Cadence, type Clock, inSlices, type Instant } from "../timing.ts";
import type { KeyStore } from "../transport/key_store.ts";
import type { NatsLink } from "../transport/nats.ts";
import { Instead } from "./instead.ts";
import type { NamespaceWatch } from "./namespace_watch.ts";
import type { Recorder } from "./recorder.ts";
import { SightWatch } from "./sight_watch.ts";
import type { Source } from "./source.ts";

export interface TargetWatchOptions {
  readonly target: Target;
  /** Undefined to go without NATS. */
  readonly nats: NatsLink | undefined;
  /** Undefined without a store: workers are then known by their answers. It must keep the `storedRanges` of the target. */
  readonly store: KeyStore | undefined;
  readonly namespace: NamespaceWatch;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly pollIntervalMs: number;
  /** The ways by which workers are seen. */
  readonly channels: ReadonlySet<Channel>;
  /** Pages of workers whose card has no address: URL templates, and the current list. */
  readonly workerUrls: readonly string[];
  readonly pageTargets: () => readonly PageTarget[];
  readonly limits: FleetLimits;
  /** Asks for a Snapshot within `ms`. */
  readonly showWithin: (ms: number) => void;
}

/** What a target's loop needs of the deployment that it is part of. */
export interface Turns {
  /** Runs `act` when no other change is under way. */
  change(act: () => Promise<void>): Promise<void>;
  /** Takes the inputs and makes a Snapshot. To be called inside `change` alone. */
  show(target: TargetWatch): Promise<void>;
}

/** A round takes at most this long, or one poll interval if that is shorter. */
const HARD_MS = 1_000;
/** If no worker is expected, a round ends this long after the last reply. */
const QUIET_MS = 100;
/** Pages are read this often, or every half of `--stale-after` if that is shorter. */
const PAGES_MS = 2_000;
/** Changes of workers and answers are shown within `CHANGES_MS`, events and counts within `EVENTS_MS`. */
export const CHANGES_MS = 100;
export const EVENTS_MS = 1_000;

/** Watches one target: asks its workers at a fixed cadence, and keeps what is known of them. */
export class TargetWatch implements Disposable {
  readonly #options: TargetWatchOptions;
  readonly #ends = new DisposableStack();
  readonly #scraper: Scraper | undefined;
  readonly #pages: WorkerPages | undefined;
  /** In the order in which their inputs are taken. */
  readonly #sources: readonly Source<FleetInput>[];
  readonly #sight: SightWatch;
  readonly #instead: Instead | undefined;
  /** Rings when NATS is back. */
  readonly #alarm = new Alarm();
  #fleet: Fleet;
  #shown: TargetSnapshot;
  #isChanged = false;
  #turnedAtMs: number;
  #hasTurned = false;

  constructor(options: TargetWatchOptions) {
    const { target, nats, store, clock, channels, limits, showWithin } = options;
    this.#options = options;
    this.#fleet = emptyFleet(target);
    this.#turnedAtMs = clock().monotonicMs;
    this.#sight = this.#ends.use(new SightWatch(clock));
    const sources: Source<FleetInput>[] = [];
    const open = <Opened extends Source<FleetInput>>(source: Opened, withinMs: number): Opened => {
      source.onInput = () => showWithin(withinMs);
      sources.push(source);
      return this.#ends.use(source);
    };
    if (store) open(new Directory(store, target), CHANGES_MS);
    const onFound = () => showWithin(CHANGES_MS);
    this.#instead = store && new Instead(store, { target, onFound });
    this.#scraper = nats && channels.has("stats")
      ? open(new Scraper({ nats, target, clock }), CHANGES_MS)
      : undefined;
    this.#pages = channels.has("http")
      ? open(
        new WorkerPages({
          target,
          clock,
          templates: options.workerUrls,
          listed: options.pageTargets,
          intervalMs: Math.min(PAGES_MS, limits.staleAfterMs / 2),
          keepMs: limits.staleAfterMs,
        }),
        EVENTS_MS,
      )
      : undefined;
    this.#sources = sources;
    options.namespace.follow(target, []);
    if (nats) this.#ends.use(nats.listen({ onChange: () => nats.connected && this.#alarm.ring() }));
    this.#shown = whole(this.show(clock()));
  }

  get target(): Target {
    return this.#options.target;
  }

  /** How long ago, in milliseconds, the loop last began a round. */
  get sinceTurnMs(): number {
    return this.#options.clock().monotonicMs - this.#turnedAtMs;
  }

  /** True after the loop's first Snapshot. */
  get hasTurned(): boolean {
    return this.#hasTurned;
  }

  /** Whether a missing NATS is a problem. False if no worker uses it, and before the store was read. */
  get needsNats(): boolean {
    return this.#fleet.needsNats && !this.#isUndecided;
  }

  /** The fleet changed since the last `show`. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** The last TargetSnapshot, with the current namespace. */
  get shown(): TargetSnapshot {
    const namespace = this.#options.namespace.shown;
    if (namespace !== this.#shown.namespace) this.#shown = { ...this.#shown, namespace };
    return this.#shown;
  }

  /** How many pages of workers are asked for. */
  get pages(): number {
    return this.#pages?.pages ?? 0;
  }

  knows(worker: WorkerId): boolean {
    return this.#fleet.workers.has(worker);
  }

  /**
   * Runs one round per poll interval until aborted, and one at once when NATS reconnects. Intervals that a long round missed
   * are skipped.
   */
  async run(turns: Turns, signal: AbortSignal): Promise<void> {
    const { clock, pollIntervalMs } = this.#options;
    const cadence = new Cadence(pollIntervalMs, clock().monotonicMs);
    while (!signal.aborted) {
      this.#turnedAtMs = clock().monotonicMs;
      await turns.change(() => this.take());
      await this.#ask(signal);
      if (signal.aborted) return;
      await turns.change(() => turns.show(this));
      this.#hasTurned = true;
      const isRung = await this.#alarm.sleep(cadence.next(clock().monotonicMs), { signal });
      if (isRung) cadence.restart(clock().monotonicMs);
    }
  }

  /** Takes what has arrived. */
  async take(): Promise<void> {
    const { namespace, recorder, target } = this.#options;
    for (const source of this.#sources) {
      for (const input of source.take()) {
        if (this.#ends.disposed) return;
        if (input.kind === "membership" && input.membership.known) { // While the store is away, the last known channels and pages stay.
          namespace.follow(target, input.channels);
          this.#pages?.follow(input.membership);
        }
        recorder.note({ target, input, notes: await this.apply(input) });
      }
    }
  }

  async apply(input: FleetInput): Promise<Notes> {
    const { clock, nats, limits } = this.#options;
    const sight = this.#sight.read(this.#fleet.needsNats ? nats : undefined);
    const request = this.#scraper?.request ?? 0;
    const options = { now: clock(), limits, sight, request };
    const { fleet, notes } = await inSlices(applyInParts(this.#fleet, input, options));
    this.#fleet = fleet;
    this.#isChanged ||= input.kind !== "time";
    return notes;
  }

  /** Marks the workers that fell silent, and forgets old ones. */
  async passTime(): Promise<void> {
    if (this.#isEmpty) this.#instead?.ask(this.#options.clock().monotonicMs);
    const input = { kind: "time" } as const;
    const notes = await this.apply(input);
    this.#options.recorder.note({ target: this.target, input, notes });
  }

  /** Builds the TargetSnapshot of this moment. */
  *show(now: Instant): Parts<TargetSnapshot> {
    const { nats, limits, channels, namespace } = this.#options;
    const problems = this.#pages?.problems();
    const shown = yield* snapshotInParts(this.#fleet, {
      now,
      registeredInstead: this.#isEmpty ? this.#instead?.names ?? [] : [],
      limits,
      namespace: namespace.shown,
      hearsNats: this.#scraper === undefined && nats?.connected === true,
      withNats: nats !== undefined,
      withCards: channels.has("card"),
      ...(problems && { pageProblems: problems }),
    });
    this.#isChanged = false;
    return this.#shown = shown;
  }

  [Symbol.dispose](): void {
    this.#ends.dispose();
  }

  /** The store lists nobody. */
  get #isEmpty(): boolean {
    return this.#fleet.membershipFromEtcd && this.#fleet.workers.size === 0;
  }

  /** True until the store was read, or could not be. */
  get #isUndecided(): boolean {
    const { store } = this.#options;
    return store !== undefined && (!store.tried || store.connected && !this.#fleet.membershipFromEtcd);
  }

  /** Runs one round unless NATS is away and not needed. */
  async #ask(signal: AbortSignal): Promise<void> {
    const { nats, clock, limits, pollIntervalMs } = this.#options;
    if (this.#scraper === undefined || !nats?.connected && !this.#fleet.needsNats) return;
    await this.#scraper.round({
      expected: expectedWorkers(this.#fleet, { now: clock(), limits }),
      limits: { hardMs: Math.min(HARD_MS, pollIntervalMs), quietMs: QUIET_MS },
      signal,
    });
  }
}
