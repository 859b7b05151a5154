import { readMembership } from "../discovery/membership.ts";
import { HIT_RATE_EVENT } from "../dynamo/hit_rate.ts";
import { type Target, targetPath } from "../dynamo/target.ts";
import { type HitRateBatch, HitRateListener } from "../events/hit_rate_listener.ts";
import {
  apply,
  emptyFleet,
  expectedWorkers,
  type Fleet,
  type FleetInput,
  type FleetLimits,
  type Notes,
} from "../fleet/fleet.ts";
import { nextExpiryMs, type Snapshot, snapshotTarget } from "../fleet/snapshot.ts";
import { logger } from "../log.ts";
import { isFailed, type Replies, type Round } from "../scrape/round.ts";
import { Scraper } from "../scrape/scraper.ts";
import { Alarm, Cadence, type Clock } from "../timing.ts";
import type { EtcdMirror } from "../transport/etcd_mirror.ts";
import type { NatsLink } from "../transport/nats.ts";
import { AbsenceReport } from "./absence.ts";

/** Counts what a Snapshot does not hold. Calls come in the order of what happened. */
export interface MonitorRecorder {
  round(target: Target, round: Round): void;
  replies(target: Target, replies: Replies): void;
  notes(target: Target, notes: Notes): void;
  events(namespace: string, event: string, batch: HitRateBatch): void;
}

export interface MonitorOptions {
  readonly target: Target;
  readonly nats: NatsLink;
  /** Undefined to go by answers alone. It must mirror `membershipPrefixes(target)`. */
  readonly etcd: EtcdMirror | undefined;
  readonly clock: Clock;
  readonly recorder: MonitorRecorder;
  readonly pollIntervalMs: number;
  readonly limits: FleetLimits;
}

/** The longest round, where the poll interval is not shorter. */
const HARD_MS = 1_000;
/** With nobody expected: how long after the last word a round ends. */
const QUIET_MS = 100;
/** At most one Snapshot in this time beside those that end a round, and one in `EVENTS_MS` for counters alone. */
const CHANGES_MS = 100;
const EVENTS_MS = 1_000;

/**
 * Polls one target at a fixed cadence and holds the newest Snapshot. Rounds never overlap; what changes between them
 * (a key, a connection, a late answer, an answer that becomes stale) makes a new Snapshot within 100 ms, what is only
 * counted within a second.
 */
export class Monitor implements Disposable {
  readonly #options: MonitorOptions;
  readonly #scraper: Scraper;
  readonly #hitRates: HitRateListener;
  readonly #ends = new DisposableStack();
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  readonly #absence = new AbsenceReport();
  #fleet: Fleet;
  #snapshot: Snapshot;
  #turnedAtMs: number;
  /** Rings when NATS is back. */
  readonly #alarm = new Alarm();
  #change: { timer: ReturnType<typeof setTimeout>; atMs: number } | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: MonitorOptions) {
    const { target, nats, etcd, clock } = options;
    this.#options = options;
    this.#fleet = emptyFleet(target);
    this.#turnedAtMs = clock().monotonicMs;
    this.#scraper = this.#ends.use(
      new Scraper({ nats, target, clock, onLate: () => this.#renewWithin(CHANGES_MS) }),
    );
    this.#hitRates = this.#ends.use(
      new HitRateListener({ nats, namespace: target.namespace, onEvent: () => this.renewCounts() }),
    );
    this.#ends.use(nats.listen({
      onChange: () => {
        this.#renewWithin(CHANGES_MS);
        if (nats.connected) this.#alarm.ring();
      },
    }));
    if (etcd) this.#ends.use(etcd.listen(() => this.#renewWithin(CHANGES_MS)));
    this.#ends.defer(() => {
      clearTimeout(this.#change?.timer);
      clearTimeout(this.#expiry);
    });
    this.#snapshot = this.#buildSnapshot(0);
  }

  /** The newest; immutable. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** How long ago, in milliseconds, the loop last began a round. */
  get sinceTurnMs(): number {
    return this.#options.clock().monotonicMs - this.#turnedAtMs;
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
    const { clock, recorder, target, limits, pollIntervalMs } = this.#options;
    this.#turnedAtMs = clock().monotonicMs;
    this.#takeMembership();
    this.#takeLate();
    const round = await this.#scraper.round({
      expected: expectedWorkers(this.#fleet, { now: clock(), limits }),
      limits: { hardMs: Math.min(HARD_MS, pollIntervalMs), quietMs: QUIET_MS },
      signal,
    });
    if (signal.aborted) return;
    this.#takeLate();
    recorder.round(target, round);
    recorder.replies(target, round);
    this.#apply({ kind: "round", round });
    this.#renew();
    if (!isFailed(round)) this.#reportPresence();
  }

  #takeLate(): void {
    const replies = this.#scraper.takeLate();
    if (replies === undefined) return;
    this.#options.recorder.replies(this.#options.target, replies);
    this.#apply({ kind: "late", replies });
  }

  #takeMembership(): void {
    const { etcd, target } = this.#options;
    if (etcd === undefined) return;
    this.#apply({
      kind: "membership",
      membership: readMembership(etcd, target),
      request: this.#scraper.request,
    });
  }

  #takeHitRates(): void {
    const batch = this.#hitRates.take();
    if (batch === undefined) return;
    this.#apply({ kind: "hit_rates", events: batch.events });
    this.#options.recorder.events(this.#options.target.namespace, HIT_RATE_EVENT, batch);
  }

  #apply(input: FleetInput): void {
    const { clock, recorder, target, limits } = this.#options;
    const { fleet, notes } = apply(this.#fleet, input, { now: clock(), limits });
    this.#fleet = fleet;
    recorder.notes(target, notes);
  }

  /** Makes a Snapshot after `ms` at the latest, one for all changes until then. */
  #renewWithin(ms: number): void {
    const atMs = this.#options.clock().monotonicMs + ms;
    if (this.#change && this.#change.atMs <= atMs) return;
    clearTimeout(this.#change?.timer);
    const timer = setTimeout(() => {
      this.#takeMembership();
      this.#takeLate();
      this.#renew();
    }, ms);
    this.#change = { timer, atMs };
  }

  #renew(): void {
    clearTimeout(this.#change?.timer);
    this.#change = undefined;
    this.#takeHitRates();
    this.#apply({ kind: "time", request: this.#scraper.request });
    this.#snapshot = this.#buildSnapshot(this.#snapshot.seq + 1);
    this.#watchExpiry();
    for (const listener of this.#listeners) listener(this.#snapshot);
  }

  #buildSnapshot(seq: number): Snapshot {
    const { nats, etcd, clock, limits } = this.#options;
    const now = clock();
    return {
      seq,
      at: now,
      nats: { connected: nats.connected, reconnects: nats.reconnects },
      etcd: etcd && { connected: etcd.connected },
      targets: [snapshotTarget(this.#fleet, { now, limits })],
    };
  }

  /** Numbers leave when they become stale, not at the next round. */
  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    const { clock, limits } = this.#options;
    const now = clock();
    const atMs = nextExpiryMs(this.#fleet, { now, limits });
    if (atMs === undefined) return;
    this.#expiry = setTimeout(() => this.#renewWithin(0), Math.max(0, atMs - now.monotonicMs));
  }

  #reportPresence(): void {
    const { target, clock } = this.#options;
    const { silent, discovered } = this.#snapshot.targets[0]!.workersByState;
    const answering = this.#fleet.workers.size - silent - discovered;
    const path = targetPath(target);
    switch (this.#absence.note(answering > 0, clock().monotonicMs)) {
      case "absent":
        return logger().warn(`No endpoints found matching ${path}`);
      case "present":
        return logger().info(`Found workers at ${path}`, { workers: answering });
    }
  }
}
