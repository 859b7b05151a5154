import type { HitRate } from "../dynamo/hit_rate.ts";
import type { Releases } from "../dynamo/release.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import { isSameRegistration, type Membership, NO_REGISTRATION } from "../discovery/membership.ts";
import type { Observation } from "../events/observation.ts";
import type { Answer } from "../scrape/answer.ts";
import { ExpectedWorkers } from "../scrape/expected_workers.ts";
import { isFailed, type Replies, type Round } from "../scrape/round.ts";
import type { Instant } from "../timing.ts";
import { countAnswers } from "./answer_counts.ts";
import { forgetRouters } from "./heard.ts";
import { addHitRates, forgetStrangers, type HitRates, NO_HIT_RATES } from "./hit_rates.ts";
import { each, type Parts } from "./parts.ts";
import {
  type FleetLimits,
  forget,
  isStale,
  lastSign,
  listen,
  newWorker,
  toListed,
  type Worker,
} from "./worker.ts";
import { releasesByService } from "./worker_release.ts";
import { WorkerTable, WorkerTableDraft } from "./worker_table.ts";

/**
 * What is known of one target, as a value: inputs go through `applyInParts`, which never waits, logs or asks the time.
 * Rules and edges are in ARCHITECTURE.md.
 */
export interface Fleet {
  readonly target: Target;
  /** The releases whose workers answer under each of the target's service names. */
  readonly byService: ReadonlyMap<string, Releases>;
  readonly workers: WorkerTable;
  readonly gone: ReadonlyMap<WorkerId, Tombstone>;
  /** True while etcd says who is there; else it is who answers. */
  readonly membershipFromEtcd: boolean;
  /** False when etcd shows that all workers there are can be seen without NATS. */
  readonly needsNats: boolean;
  readonly lastRound: RoundSummary | undefined;
  /** When the last round ended that did not fail. */
  readonly lastGoodRoundAt: Instant | undefined;
  /** When the last round ended in which all answered that were expected. */
  readonly lastCompleteRoundAt: Instant | undefined;
  readonly hitRates: HitRates;
}

/** Remembers that a worker is gone: only an answer to a question after `request` can bring it back. */
export interface Tombstone {
  readonly request: number;
  readonly atMs: number;
}

/** The newest round that was tried. */
export interface RoundSummary {
  readonly request: number;
  readonly failed: boolean;
  readonly sentAt: Instant;
  readonly endedAt: Instant;
  /** How many had answered before and were not gone when it began, silent ones too. */
  readonly expected: number;
  /** How many different workers answered within it, newcomers too, and how many of those with load. */
  readonly answered: number;
  readonly decoded: number;
}

export type FleetInput =
  | { readonly kind: "round"; readonly round: Round }
  | { readonly kind: "late"; readonly replies: Replies }
  /** `request` is the newest question sent when this was learned. */
  | { readonly kind: "membership"; readonly membership: Membership; readonly request: number }
  | { readonly kind: "hit_rates"; readonly events: readonly HitRate[] }
  | { readonly kind: "observations"; readonly observations: readonly Observation[] }
  /** The connections by which observations came are lost. */
  | { readonly kind: "lost"; readonly vias: ReadonlySet<string> }
  /** Nothing came, but time passed. */
  | { readonly kind: "time"; readonly request: number };

/** Why an answer did not count, and why a worker went. Closed sets: they become labels. */
export const UNCOUNTED_REASONS = ["duplicate_id", "late", "too_many_workers"] as const;
export const GONE_REASONS = ["deregistered", "forgotten"] as const;
export const UNHEARD_REASONS = ["unknown_worker", "too_many_workers"] as const;

/** How many answers did not count, and how many workers went. */
export interface Notes {
  readonly uncounted: Readonly<Record<typeof UNCOUNTED_REASONS[number], number>>;
  readonly gone: Readonly<Record<typeof GONE_REASONS[number], number>>;
  /** Observations of nobody that is known, or can be. */
  readonly unheard: Readonly<Record<typeof UNHEARD_REASONS[number], number>>;
}

/** From so many on only those come that etcd lists: anybody on NATS may name as many as they like. */
export const MAX_WORKERS = 100_000;
/** How many workers are remembered that are gone, and for how long. */
const MAX_TOMBSTONES = 10_000;
const TOMBSTONE_MS = 600_000;

export function emptyFleet(target: Target): Fleet {
  return {
    target,
    byService: releasesByService(target),
    workers: WorkerTable.EMPTY,
    gone: new Map(),
    membershipFromEtcd: false,
    needsNats: true,
    lastRound: undefined,
    lastGoodRoundAt: undefined,
    lastCompleteRoundAt: undefined,
    hitRates: NO_HIT_RATES,
  };
}

/** The fleet after an input, and what happened on the way. */
export interface Applied {
  readonly fleet: Fleet;
  readonly notes: Notes;
}

export interface ApplyOptions {
  readonly now: Instant;
  readonly limits: FleetLimits;
}

/** The fleet after `input`, which is there when all parts are done: `fleet` stays what it is. */
export function* applyInParts(fleet: Fleet, input: FleetInput, options: ApplyOptions): Parts<Applied> {
  const draft = new Draft(fleet);
  switch (input.kind) {
    case "round":
      yield* draft.closeRound(input.round, options.now);
      break;
    case "late":
      yield* draft.takeAnswers(input.replies.answers);
      break;
    case "membership":
      yield* draft.takeMembership(input, options.now);
      break;
    case "hit_rates":
      draft.takeHitRates(input.events, options.now);
      break;
    case "observations":
      yield* draft.takeObservations(input.observations);
      break;
    case "lost":
      draft.forgetVias(input.vias);
      break;
    case "time":
      yield* draft.forget(input.request, options);
      break;
  }
  return draft.finish();
}

/** Whom the next round waits for: those who answered before and are not silent. */
export function expectedWorkers({ workers }: Fleet, options: ApplyOptions): ExpectedWorkers {
  const services = workers.values().map(({ answer }) =>
    answer && !isStale(answer.at, options) ? answer.service : undefined
  );
  return new ExpectedWorkers(services, (id) => workers.position(id));
}

/** A fleet in the making: copies what it changes, when it changes it. */
class Draft {
  readonly #fleet: Fleet;
  readonly #notes = {
    uncounted: { duplicate_id: 0, late: 0, too_many_workers: 0 },
    gone: { deregistered: 0, forgotten: 0 },
    unheard: { unknown_worker: 0, too_many_workers: 0 },
  };
  readonly #workers: WorkerTableDraft;
  #gone: Map<WorkerId, Tombstone> | undefined;
  #membershipFromEtcd: boolean;
  #needsNats: boolean;
  #lastRound: RoundSummary | undefined;
  #lastGoodRoundAt: Instant | undefined;
  #lastCompleteRoundAt: Instant | undefined;
  #hitRates: HitRates;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    this.#workers = new WorkerTableDraft(fleet.workers);
    this.#membershipFromEtcd = fleet.membershipFromEtcd;
    this.#needsNats = fleet.needsNats;
    this.#lastRound = fleet.lastRound;
    this.#lastGoodRoundAt = fleet.lastGoodRoundAt;
    this.#lastCompleteRoundAt = fleet.lastCompleteRoundAt;
    this.#hitRates = fleet.hitRates;
  }

  takeAnswers(answers: readonly Answer[]): Parts<void> {
    return each(answers, (answer) => this.#takeAnswer(answer));
  }

  #takeAnswer(answer: Answer): void {
    const tombstone = this.#readGone().get(answer.worker);
    const known = this.#workers.get(answer.worker);
    const newest = known?.answer?.request ?? -1;
    if (tombstone !== undefined && answer.request <= tombstone.request || answer.request < newest) {
      this.#notes.uncounted.late++;
      return;
    }
    if (known === undefined && this.#isFull) {
      this.#notes.uncounted.too_many_workers++;
      return;
    }
    if (answer.request === newest) this.#notes.uncounted.duplicate_id++;
    if (tombstone !== undefined) this.#writeGone().delete(answer.worker);
    this.#workers.put({
      ...(known ?? newWorker(answer.worker, this.#membershipFromEtcd ? false : undefined)),
      answer,
    });
  }

  /** Takes the round's answers, and decides about the workers whose key vanished before its question was sent. */
  *closeRound(round: Round, now: Instant): Parts<void> {
    const { expected, answered, decoded, isComplete } = countAnswers(round.answers, this.#fleet.workers);
    yield;
    yield* this.takeAnswers(round.answers);
    yield;
    this.#lastRound = {
      request: round.request,
      failed: isFailed(round),
      sentAt: round.sentAt,
      endedAt: round.endedAt,
      expected,
      answered,
      decoded,
    };
    if (isFailed(round)) return;
    this.#lastGoodRoundAt = round.endedAt;
    if (isComplete) this.#lastCompleteRoundAt = round.endedAt;
    for (const worker of this.#workers.values()) {
      const { undecidedSince, answer } = worker;
      if (undecidedSince === undefined || round.request <= undecidedSince) continue;
      if (answer !== undefined && answer.request > undecidedSince) {
        this.#workers.put({ ...worker, undecidedSince: undefined });
      } else {
        this.#bury(worker.id, { request: undecidedSince, atMs: now.monotonicMs });
        this.#notes.gone.deregistered++;
      }
    }
  }

  *takeMembership(
    { membership, request }: { membership: Membership; request: number },
    now: Instant,
  ): Parts<void> {
    this.#membershipFromEtcd = membership.known;
    if (membership.known) this.#needsNats = membership.needsNats;
    const tombstone = { request, atMs: now.monotonicMs };
    yield* each(this.#workers.values(), (worker) => this.#takeListing(worker, membership, tombstone));
    if (!membership.known) return;
    yield* each([...membership.workers], ([id, registration]) => {
      if (!this.#workers.has(id)) this.#workers.put({ ...newWorker(id, true), registration });
    });
  }

  #takeListing(worker: Worker, membership: Membership, tombstone: Tombstone): void {
    const registered = membership.known ? membership.workers.has(worker.id) : undefined;
    const vanished = registered === false && worker.registered !== false;
    if (vanished && worker.answer === undefined) { // Nobody waits for its answer.
      this.#bury(worker.id, tombstone);
      this.#notes.gone.deregistered++;
      return;
    }
    const undecidedSince = vanished
      ? tombstone.request
      : registered === false
      ? worker.undecidedSince
      : undefined;
    const heard = membership.known ? forgetRouters(worker.heard, membership.publishers) : worker.heard;
    const registration = membership.known
      ? membership.workers.get(worker.id) ?? NO_REGISTRATION
      : worker.registration;
    if (registered === true && worker.livesByEvents) {
      this.#workers.put({ ...toListed(worker), registered, undecidedSince, registration, heard });
    } else if (
      registered !== worker.registered || undecidedSince !== worker.undecidedSince ||
      heard !== worker.heard || !isSameRegistration(registration, worker.registration)
    ) this.#workers.put({ ...worker, registered, undecidedSince, registration, heard });
  }

  /** Only of workers that etcd lists, or that answered; without etcd, of those too that only the target can have. */
  takeObservations(observations: readonly Observation[]): Parts<void> {
    return each(observations, (observation) => {
      const worker = this.#workers.get(observation.worker) ?? this.#meet(observation);
      if (typeof worker === "string") this.#notes.unheard[worker]++;
      else this.#workers.put(listen(worker, observation));
    });
  }

  /** A worker that nobody lists, by what it says itself; one that went, only by what it says after that. */
  #meet({ worker, at, isTargets, said }: Observation): Worker | typeof UNHEARD_REASONS[number] {
    if (this.#membershipFromEtcd || !isTargets || said.kind === "router") return "unknown_worker";
    const tombstone = this.#readGone().get(worker);
    if (tombstone !== undefined && at.monotonicMs <= tombstone.atMs) return "unknown_worker";
    if (this.#isFull) return "too_many_workers";
    if (tombstone !== undefined) this.#writeGone().delete(worker);
    return { ...newWorker(worker, undefined), livesByEvents: true };
  }

  forgetVias(vias: ReadonlySet<string>): void {
    for (const worker of this.#workers.values()) {
      const changed = forget(worker, vias);
      if (changed !== worker) this.#workers.put(changed);
    }
  }

  takeHitRates(events: readonly HitRate[], now: Instant): void {
    this.#hitRates = addHitRates(this.#hitRates, events, now.monotonicMs);
  }

  /**
   * Lets go of the workers that nobody lists: at once when etcd says so, rounds work and it is silent (it drained, and has
   * ended), else when it has not answered for long; and of old tombstones.
   */
  *forget(request: number, options: ApplyOptions): Parts<void> {
    const { now, limits } = options;
    const roundsWork = this.#lastRound !== undefined && !this.#lastRound.failed;
    yield* each(this.#workers.values(), (worker) => {
      const { id, registered, answer } = worker;
      const sign = lastSign(worker);
      if (registered === true || sign === undefined) return;
      if (registered === false && answer && roundsWork && isStale(answer.at, options)) {
        this.#bury(id, { request, atMs: now.monotonicMs });
        this.#notes.gone.deregistered++;
      } else if (now.monotonicMs - sign.monotonicMs >= limits.forgetAfterMs) {
        this.#bury(id, { request, atMs: now.monotonicMs });
        this.#notes.gone.forgotten++;
      }
    });
    for (const [id, { atMs }] of this.#readGone()) {
      if (now.monotonicMs - atMs < TOMBSTONE_MS) break; // The rest is younger.
      this.#writeGone().delete(id);
    }
    const workers = this.#workers;
    this.#hitRates = forgetStrangers(this.#hitRates, {
      isThere: (worker) => workers.has(worker),
      nowMs: now.monotonicMs,
    });
  }

  finish(): Applied {
    const fleet = {
      target: this.#fleet.target,
      byService: this.#fleet.byService,
      workers: this.#workers.finish(),
      gone: this.#readGone(),
      membershipFromEtcd: this.#membershipFromEtcd,
      needsNats: this.#needsNats,
      lastRound: this.#lastRound,
      lastGoodRoundAt: this.#lastGoodRoundAt,
      lastCompleteRoundAt: this.#lastCompleteRoundAt,
      hitRates: this.#hitRates,
    };
    return { fleet, notes: this.#notes };
  }

  #bury(id: WorkerId, tombstone: Tombstone): void {
    this.#workers.delete(id);
    this.#writeGone().delete(id); // The youngest stand last.
    this.#writeGone().set(id, tombstone);
    dropOldest(this.#writeGone(), MAX_TOMBSTONES);
  }

  get #isFull(): boolean {
    return this.#workers.size >= MAX_WORKERS;
  }

  #readGone(): ReadonlyMap<WorkerId, Tombstone> {
    return this.#gone ?? this.#fleet.gone;
  }

  #writeGone(): Map<WorkerId, Tombstone> {
    return this.#gone ??= new Map(this.#fleet.gone);
  }
}

function dropOldest(map: Map<WorkerId, unknown>, limit: number): void {
  for (const id of map.keys()) {
    if (map.size <= limit) return;
    map.delete(id);
  }
}
