import { Directory, type Listing } from "../discovery/directory.ts";
import { KeyTroubles } from "../discovery/key_troubles.ts";
import { pageAddresses } from "../discovery/page_addresses.ts";
import type { PageTarget } from "../discovery/page_targets.ts";
import { HIT_RATE_EVENT } from "../dynamo/hit_rate.ts";
import { type Target, targetPath } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import { ChannelListener, type EventBatch } from "../events/channel_listener.ts";
import { type HitRateBatch, HitRateListener } from "../events/hit_rate_listener.ts";
import { type Channel, type Observation, observationsOf } from "../events/observation.ts";
import {
  applyInParts,
  emptyFleet,
  expectedWorkers,
  type Fleet,
  type FleetInput,
  type Notes,
} from "../fleet/fleet.ts";
import type { FleetLimits } from "../fleet/worker.ts";
import { type Parts, whole } from "../fleet/parts.ts";
import { type Connection, type Snapshot, snapshotInParts } from "../fleet/snapshot.ts";
import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import { logger } from "../log.ts";
import { type PageBatch, PagePoller } from "../scrape/page_poller.ts";
import { isFailed, type Replies, type Round } from "../scrape/round.ts";
import { Scraper } from "../scrape/scraper.ts";
import { Alarm, Cadence, type Clock, giveWay, inSlices } from "../timing.ts";
import type { KeyStore } from "../transport/key_store.ts";
import type { NatsLink } from "../transport/nats.ts";
import { AbsenceReport } from "./absence.ts";
import { SightWatch } from "./sight_watch.ts";

/** Counts what a Snapshot does not hold. Calls come in the order of what happened. */
export interface MonitorRecorder {
  round(target: Target, round: Round): void;
  replies(target: Target, replies: Replies): void;
  notes(target: Target, notes: Notes): void;
  hitRates(namespace: string, event: string, batch: HitRateBatch): void;
  events(namespace: string, batch: EventBatch): void;
  pages(target: Target, batch: PageBatch): void;
}

export interface MonitorOptions {
  readonly target: Target;
  /** Undefined to go without NATS. */
  readonly nats: NatsLink | undefined;
  /** Undefined to go by answers alone. It must keep `storedRanges(target)`. */
  readonly store: KeyStore | undefined;
  readonly clock: Clock;
  readonly recorder: MonitorRecorder;
  readonly pollIntervalMs: number;
  /** The ways by which workers are seen. */
  readonly channels: ReadonlySet<Channel>;
  /** Where workers' pages are whose cards do not say: templates, and what is listed at the moment. */
  readonly workerUrls: readonly string[];
  readonly pageTargets?: () => readonly PageTarget[];
  readonly limits: FleetLimits;
}

/** The longest round, where the poll interval is not shorter. */
const HARD_MS = 1_000;
/** With nobody expected: how long after the last word a round ends. */
const QUIET_MS = 100;
/** At most one Snapshot in this time beside those that end a round, and one in `EVENTS_MS` for counters alone. */
const CHANGES_MS = 100;
const EVENTS_MS = 1_000;
/** The longest from one question for a worker's page to the next, where workers are not silent sooner. */
const PAGES_MS = 2_000;

/** How many publishers that cannot be reached are listed. */
const MAX_PUBLISHERS = 100;

const NO_TARGETS: readonly PageTarget[] = [];

/**
 * Polls one target at a fixed cadence and holds the newest Snapshot. Rounds never overlap; what changes between them
 * (a key, a connection, a late answer, an answer that becomes stale) makes a new Snapshot within 100 ms, what is only
 * counted within a second.
 */
export class Monitor implements Disposable {
  readonly #options: MonitorOptions;
  readonly #directory: Directory | undefined;
  /** What channels and pages follow. */
  #listing: Listing | undefined;
  #pageTargets: readonly PageTarget[] = NO_TARGETS;
  readonly #keyTroubles = new KeyTroubles();
  /** Workers whose pages have no address. */
  #unaddressed: readonly WorkerId[] = [];
  readonly #scraper: Scraper | undefined;
  readonly #hitRates: HitRateListener | undefined;
  readonly #channels: ChannelListener;
  readonly #pages: PagePoller;
  readonly #sight: SightWatch;
  readonly #ends = new DisposableStack();
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  readonly #absence = new AbsenceReport();
  #fleet: Fleet;
  #snapshot: Snapshot;
  #turnedAtMs: number;
  #hasTurned = false;
  /** Rings when NATS is back. */
  readonly #alarm = new Alarm();
  /** Ends when the last change of the fleet that was begun has. */
  #last: Promise<void> = Promise.resolve();
  #change: { timer: ReturnType<typeof setTimeout>; atMs: number } | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: MonitorOptions) {
    const { target, nats, store, clock, limits, channels } = options;
    this.#options = options;
    this.#fleet = emptyFleet(target);
    this.#turnedAtMs = clock().monotonicMs;
    this.#sight = this.#ends.use(new SightWatch(clock));
    this.#directory = store && this.#ends.use(new Directory(store, target));
    const onEvent = () => this.renewCounts();
    this.#channels = this.#ends.use(
      new ChannelListener({
        nats: channels.has("event_nats") ? nats : undefined,
        withZmq: channels.has("event_zmq"),
        target,
        clock,
        onEvent,
      }),
    );
    this.#pages = this.#ends.use(
      new PagePoller({
        clock,
        intervalMs: Math.min(PAGES_MS, limits.staleAfterMs / 2),
        keepMs: limits.staleAfterMs,
        onPage: onEvent,
      }),
    );
    if (nats) {
      if (channels.has("stats")) {
        const onLate = () => this.#renewWithin(CHANGES_MS);
        this.#scraper = this.#ends.use(new Scraper({ nats, target, clock, onLate }));
      }
      if (channels.has("event_nats")) {
        this.#hitRates = this.#ends.use(new HitRateListener({ nats, namespace: target.namespace, onEvent }));
      }
      this.#ends.use(nats.listen({
        onChange: () => {
          this.#renewWithin(CHANGES_MS);
          if (nats.connected) this.#alarm.ring();
        },
      }));
    }
    if (store) this.#ends.use(store.listen(() => this.#renewWithin(CHANGES_MS)));
    this.#ends.defer(() => {
      clearTimeout(this.#change?.timer);
      clearTimeout(this.#expiry);
    });
    this.#snapshot = whole(this.#buildSnapshot(0));
  }

  /** The newest; immutable. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** How long ago, in milliseconds, the loop last began a round. */
  get sinceTurnMs(): number {
    return this.#options.clock().monotonicMs - this.#turnedAtMs;
  }

  /** True once a first turn of the loop has shown what there is. */
  get hasTurned(): boolean {
    return this.#hasTurned;
  }

  /** False while NATS may be away: the store shows that nothing comes by it, or has not yet had the time to. */
  get needsNats(): boolean {
    return this.#fleet.needsNats && !this.#isUndecided;
  }

  /** Whether the store has not yet had the time to say who is there. */
  get #isUndecided(): boolean {
    const { store } = this.#options;
    return store !== undefined && (!store.tried || store.connected && !this.#fleet.membershipFromEtcd);
  }

  /** Calls `listener` with every new Snapshot until the result is disposed of. */
  subscribe(listener: (snapshot: Snapshot) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Something was counted that a page made from the present Snapshot may not have: a new one within a second. */
  renewCounts(): void {
    this.#renewWithin(EVENTS_MS);
  }

  /** Polls until aborted, and at once when NATS is there again. Ticks that a long round has missed are left out. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, pollIntervalMs } = this.#options;
    const cadence = new Cadence(pollIntervalMs, clock().monotonicMs);
    while (!signal.aborted) {
      await this.#tick(signal);
      const isRung = await this.#alarm.sleep(cadence.next(clock().monotonicMs), { signal });
      if (isRung) cadence.restart(clock().monotonicMs);
    }
  }

  [Symbol.dispose](): void {
    this.#ends.dispose();
  }

  async #tick(signal: AbortSignal): Promise<void> {
    this.#turnedAtMs = this.#options.clock().monotonicMs;
    await this.#oneByOne(() => this.#takeChanges());
    const { round, isTrue } = await this.#ask(signal);
    if (signal.aborted) return;
    await this.#oneByOne(async () => {
      this.#endWait();
      if (round) await this.#takeRound(round);
      await this.#takeChanges();
      await this.#renew();
    });
    this.#hasTurned = true;
    if (isTrue && !this.#isUndecided) this.#reportPresence();
  }

  /** One round, where there is a NATS or one is needed, and whether all that is needed was reached. */
  async #ask(signal: AbortSignal): Promise<{ readonly round?: Round; readonly isTrue: boolean }> {
    const { nats, store, clock, limits, pollIntervalMs } = this.#options;
    if (this.#scraper === undefined || !nats?.connected && !this.#fleet.needsNats) {
      const reachesNats = nats === undefined || nats.connected || !this.#fleet.needsNats;
      return { isTrue: reachesNats && (store?.connected ?? nats !== undefined) };
    }
    const round = await this.#scraper.round({
      expected: expectedWorkers(this.#fleet, { now: clock(), limits }),
      limits: { hardMs: Math.min(HARD_MS, pollIntervalMs), quietMs: QUIET_MS },
      signal,
    });
    return { round, isTrue: !isFailed(round) };
  }

  async #takeRound(round: Round): Promise<void> {
    const { recorder, target } = this.#options;
    await this.#takeLate();
    recorder.round(target, round);
    recorder.replies(target, round);
    await this.#apply({ kind: "round", round });
  }

  /**
   * Changes of the fleet and Snapshots of it are made in slices, and come one after the other: one begins when the one
   * before has ended.
   */
  #oneByOne(act: () => Promise<void>): Promise<void> {
    const done = this.#last.then(async () => {
      if (!this.#ends.disposed) await act();
    });
    this.#last = done.catch(() => {}); // Whoever asked for it is told.
    return done;
  }

  async #takeLate(): Promise<void> {
    const replies = this.#scraper?.takeLate();
    if (replies === undefined) return;
    this.#options.recorder.replies(this.#options.target, replies);
    await this.#apply({ kind: "late", replies });
  }

  async #takeMembership(): Promise<void> {
    if (this.#directory === undefined) return;
    const listing = this.#directory.read();
    const { membership, channels } = listing;
    const targets = this.#options.pageTargets?.() ?? NO_TARGETS;
    const isNew = listing !== this.#listing;
    if (!isNew && targets === this.#pageTargets) return;
    this.#listing = listing;
    this.#pageTargets = targets;
    if (membership.known) { // Else the last known stand.
      this.#channels.update(channels);
      if (this.#options.channels.has("http")) {
        const { workerUrls: templates } = this.#options;
        const { pages, unaddressed } = pageAddresses(membership, { templates, targets });
        this.#pages.update(pages);
        this.#unaddressed = unaddressed;
        this.#keyTroubles.noteStrangers(targets, membership);
        this.#keyTroubles.noteUnaddressed(unaddressed);
      }
      this.#keyTroubles.noteContradictions(membership);
    }
    if (isNew) await this.#apply({ kind: "membership", membership, request: this.#request });
  }

  async #takeHitRates(): Promise<void> {
    const batch = this.#hitRates?.take();
    if (batch === undefined) return;
    await this.#apply({ kind: "hit_rates", events: batch.events });
    this.#options.recorder.hitRates(this.#options.target.namespace, HIT_RATE_EVENT, batch);
  }

  async #takeEvents(): Promise<void> {
    const batch = this.#channels.take();
    if (batch === undefined) return;
    await this.#hear(batch.lost, batch.observations);
    this.#options.recorder.events(this.#options.target.namespace, batch);
  }

  async #takePages(): Promise<void> {
    const batch = this.#pages.take();
    if (batch === undefined) return;
    await this.#hear(batch.lost, batch.pages.flatMap(observationsOf));
    this.#options.recorder.pages(this.#options.target, batch);
  }

  async #hear(lost: ReadonlySet<string>, observations: readonly Observation[]): Promise<void> {
    if (lost.size > 0) await this.#apply({ kind: "lost", vias: lost });
    await this.#apply({ kind: "observations", observations });
  }

  /** The newest question sent. */
  get #request(): number {
    return this.#scraper?.request ?? 0;
  }

  async #apply(input: FleetInput): Promise<void> {
    const { clock, nats, recorder, target, limits } = this.#options;
    const sight = this.#sight.read(this.#fleet.needsNats ? nats : undefined);
    const { fleet, notes } = await inSlices(
      applyInParts(this.#fleet, input, { now: clock(), limits, sight }),
    );
    this.#fleet = fleet;
    recorder.notes(target, notes);
  }

  /** Makes a Snapshot after `ms` at the latest, one for all changes until then. */
  #renewWithin(ms: number): void {
    const atMs = this.#options.clock().monotonicMs + ms;
    if (this.#change && this.#change.atMs <= atMs) return;
    clearTimeout(this.#change?.timer);
    const renew = async () => {
      if (this.#change !== change) return; // A Snapshot that was begun since has it.
      this.#endWait();
      await this.#takeChanges();
      await this.#renew();
    };
    const onError = (error: unknown) =>
      logger().error("Cannot make a Snapshot", { cause: (error as Error).message });
    const change = { timer: setTimeout(() => void this.#oneByOne(renew).catch(onError), ms), atMs };
    this.#change = change;
  }

  /** What is told from now on may miss the Snapshot that is begun, and makes another. */
  #endWait(): void {
    clearTimeout(this.#change?.timer);
    this.#change = undefined;
  }

  async #takeChanges(): Promise<void> {
    await this.#takeMembership();
    await this.#takeLate();
  }

  async #renew(): Promise<void> {
    await this.#takeHitRates();
    await this.#takeEvents();
    await this.#takePages();
    await this.#apply({ kind: "time", request: this.#request });
    this.#snapshot = await inSlices(this.#buildSnapshot(this.#snapshot.seq + 1));
    await giveWay();
    if (this.#ends.disposed) return;
    this.#watchExpiry();
    for (const listener of this.#listeners) listener(this.#snapshot);
  }

  *#buildSnapshot(seq: number): Parts<Snapshot> {
    const { nats, store, clock, limits, channels } = this.#options;
    const now = clock();
    const hearsNats = this.#scraper === undefined && nats?.connected === true;
    const connections = {
      nats: nats && { connected: nats.connected, reconnects: nats.reconnects },
      store: store && { kind: store.kind, name: store.name, connected: store.connected },
      connections: this.#connections(),
    };
    const target = yield* snapshotInParts(this.#fleet, {
      now,
      limits,
      hearsNats,
      withNats: nats !== undefined,
      withCards: channels.has("card"),
      pageProblems: this.#pageProblems(),
    });
    return { seq, at: now, ...connections, targets: [target] };
  }

  #connections(): Connection[] {
    const { nats, store } = this.#options;
    return [
      ...nats ? [{ name: "NATS", kind: "nats", ...nats.state }] : [],
      ...store ? [{ name: store.name, kind: store.kind, ...store.state }] : [],
      ...this.#channels.unreachable().take(MAX_PUBLISHERS).map(({ name, state }) => ({
        name,
        kind: "zmq",
        ...state,
      })),
    ];
  }

  /** Why pages of workers are not read. */
  #pageProblems(): ReadonlyMap<WorkerId, string> {
    const failing = this.#pages.problems();
    if (this.#unaddressed.length === 0) return failing;
    return new Map([...this.#unaddressed.map((id) => [id, NO_HOST] as const), ...failing]);
  }

  /** Numbers leave when they become stale, not at the next round. */
  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    const [{ changesAtMs } = { changesAtMs: Infinity }] = this.#snapshot.targets;
    if (changesAtMs === Infinity) return;
    const waitMs = Math.max(0, changesAtMs - this.#options.clock().monotonicMs);
    this.#expiry = setTimeout(() => this.#renewWithin(0), waitMs);
  }

  /** Says whether workers are there, and whether any of those that are listed was heard. */
  #reportPresence(): void {
    const { target, clock } = this.#options;
    const { workers, workersByState } = this.#snapshot.targets[0]!;
    const path = targetPath(target);
    const fields = { workers: workers.length };
    const presence = workers.length === 0
      ? "absent"
      : workersByState.discovered === workers.length && !workers.some(isSeen)
      ? "unheard"
      : "present";
    switch (this.#absence.note(presence, clock().monotonicMs)) {
      case "absent":
        return logger().warn(`No endpoints found matching ${path}`);
      case "unheard":
        return logger().warn(`Workers are registered at ${path}, and nothing was heard of them`, fields);
      case "present":
        return logger().info(`Found workers at ${path}`, fields);
    }
  }
}

function isSeen({ channels }: WorkerSnapshot): boolean {
  return channels.size > 0;
}

const NO_HOST = "its key names no host, so --worker-url with {host} names no page of it";
