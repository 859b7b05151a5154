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
import { isFailed, type Replies, type Round, Scraper } from "../scrape/scraper.ts";
import { Alarm, type Clock } from "../timing.ts";
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
  readonly limits?: Partial<MonitorLimits>;
}

/** Three polls, but at least 3 s. */
export function defaultStaleAfterMs(pollIntervalMs: number): number {
  return Math.max(3 * pollIntervalMs, 3_000);
}

/** What flags set and tests shorten. */
export interface MonitorLimits extends FleetLimits {
  /** The longest round; never longer than the poll interval. */
  readonly hardMs: number;
  readonly quietMs: number;
  /** At most one Snapshot in this time beside those that end a round, and one in `eventsMs` for counters alone. */
  readonly changesMs: number;
  readonly eventsMs: number;
}

/**
 * Polls one target at a fixed cadence and holds the newest Snapshot. Rounds never overlap; what changes between them
 * (a key, a connection, a late answer, an answer that becomes stale) makes a new Snapshot within `changesMs`.
 */
export class Monitor implements Disposable {
  readonly #options: MonitorOptions;
  readonly #limits: MonitorLimits;
  readonly #scraper: Scraper;
  readonly #hitRates: HitRateListener;
  readonly #listeners: ((snapshot: Snapshot) => void)[] = [];
  readonly #absence = new AbsenceReport();
  #fleet: Fleet;
  #snapshot: Snapshot;
  #turnedAtMs: number;
  /** Rings when NATS is back. */
  readonly #alarm = new Alarm();
  #change: { timer: ReturnType<typeof setTimeout>; atMs: number } | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: MonitorOptions) {
    const { target, nats, etcd, clock, pollIntervalMs } = options;
    const staleAfterMs = options.limits?.staleAfterMs ?? defaultStaleAfterMs(pollIntervalMs);
    this.#options = options;
    this.#limits = {
      staleAfterMs,
      forgetAfterMs: 10 * staleAfterMs, // As the help says.
      quietMs: 100,
      changesMs: 100,
      eventsMs: 1_000,
      ...options.limits,
      hardMs: Math.min(options.limits?.hardMs ?? 1_000, pollIntervalMs),
    };
    this.#fleet = emptyFleet(target);
    this.#turnedAtMs = clock().monotonicMs;
    this.#scraper = new Scraper({ nats, target, clock, onLate: (replies) => this.#takeLate(replies) });
    this.#hitRates = new HitRateListener({
      nats,
      namespace: target.namespace,
      onEvent: () => this.#changeWithin(this.#limits.eventsMs),
    });
    nats.listen({
      onChange: () => {
        this.#changeWithin(this.#limits.changesMs);
        if (nats.connected) this.#alarm.ring();
      },
    });
    etcd?.listen(() => this.#changeWithin(this.#limits.changesMs));
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

  /** Calls `listener` with every new Snapshot. */
  subscribe(listener: (snapshot: Snapshot) => void): void {
    this.#listeners.push(listener);
  }

  /** Polls until aborted, and at once when NATS is there again. Ticks that a long round has missed are left out. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, pollIntervalMs } = this.#options;
    let dueMs = clock().monotonicMs;
    while (!signal.aborted) {
      await this.#tick(signal);
      const nowMs = clock().monotonicMs;
      dueMs += pollIntervalMs * Math.max(1, Math.ceil((nowMs - dueMs) / pollIntervalMs));
      if (await this.#alarm.sleep(dueMs - nowMs, { signal })) dueMs = clock().monotonicMs;
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#change?.timer);
    clearTimeout(this.#expiry);
    this.#hitRates[Symbol.dispose]();
    this.#scraper[Symbol.dispose]();
  }

  async #tick(signal: AbortSignal): Promise<void> {
    const { clock, recorder, target } = this.#options;
    this.#turnedAtMs = clock().monotonicMs;
    this.#takeMembership();
    const options = { now: clock(), limits: this.#limits };
    const round = await this.#scraper.round({
      expected: expectedWorkers(this.#fleet, options),
      limits: this.#limits,
      signal,
    });
    if (signal.aborted) return;
    recorder.round(target, round);
    this.#takeReplies({ kind: "round", round }, round);
    this.#change = clearChange(this.#change);
    this.#publish();
    if (!isFailed(round)) this.#reportPresence();
  }

  #takeLate(replies: Replies): void {
    this.#takeReplies({ kind: "late", replies }, replies);
    this.#changeWithin(this.#limits.changesMs);
  }

  #takeReplies(input: FleetInput, replies: Replies): void {
    this.#options.recorder.replies(this.#options.target, replies);
    this.#apply(input);
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
    if (batch.events.length === 0 && batch.rejected.length === 0) return;
    this.#apply({ kind: "hit_rates", events: batch.events });
    this.#options.recorder.events(this.#options.target.namespace, HIT_RATE_EVENT, batch);
  }

  #apply(input: FleetInput): void {
    const { clock, recorder, target } = this.#options;
    const { fleet, notes } = apply(this.#fleet, input, { now: clock(), limits: this.#limits });
    this.#fleet = fleet;
    recorder.notes(target, notes);
  }

  /** Makes a Snapshot after `ms` at the latest, one for all changes until then. */
  #changeWithin(ms: number): void {
    const atMs = this.#options.clock().monotonicMs + ms;
    if (this.#change && this.#change.atMs <= atMs) return;
    clearChange(this.#change);
    const timer = setTimeout(() => {
      this.#change = undefined;
      this.#takeMembership();
      this.#publish();
    }, ms);
    this.#change = { timer, atMs };
  }

  #publish(): void {
    this.#takeHitRates();
    this.#apply({ kind: "time", request: this.#scraper.request });
    this.#snapshot = this.#buildSnapshot(this.#snapshot.seq + 1);
    this.#watchExpiry();
    for (const listener of this.#listeners) listener(this.#snapshot);
  }

  #buildSnapshot(seq: number): Snapshot {
    const { nats, etcd, clock } = this.#options;
    const now = clock();
    return {
      seq,
      at: now,
      nats: { connected: nats.connected, reconnects: nats.reconnects },
      etcd: etcd && { connected: etcd.connected },
      targets: [snapshotTarget(this.#fleet, { now, limits: this.#limits })],
    };
  }

  /** Numbers leave when they become stale, not at the next round. */
  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    const now = this.#options.clock();
    const atMs = nextExpiryMs(this.#fleet, { now, limits: this.#limits });
    if (atMs === undefined) return;
    this.#expiry = setTimeout(() => this.#changeWithin(0), Math.max(0, atMs - now.monotonicMs));
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

function clearChange(change: { timer: ReturnType<typeof setTimeout> } | undefined): undefined {
  clearTimeout(change?.timer);
}
