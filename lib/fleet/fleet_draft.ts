import type { WorkerId } from "../dynamo/worker_id.ts";
import { isSameRegistration, type Membership, NO_REGISTRATION } from "../discovery/membership.ts";
import type { Observation } from "../events/observation.ts";
import type { Answer } from "../scrape/answer.ts";
import { isFailed, type Round } from "../scrape/round.ts";
import type { Instant } from "../timing.ts";
import { countAnswers } from "./answer_counts.ts";
import { ChangesDraft, type GoneReason } from "./changes.ts";
import type { Applied, ApplyOptions, Fleet, RoundSummary, Tombstone, UnheardReason } from "./fleet.ts";
import { forgetRouters } from "./heard.ts";
import { endOf, Look, seenRequest, type Sight } from "./look.ts";
import { each, type Parts } from "./parts.ts";
import {
  countersFell,
  forget,
  lastSign,
  listen,
  newWorker,
  pageCountersFell,
  toListed,
  type Worker,
} from "./worker.ts";
import { WorkerTableDraft } from "./worker_table.ts";

/** From so many on only those come that etcd lists: anybody on NATS may name as many as they like. */
export const MAX_WORKERS = 100_000;

/** How many workers are remembered that are gone, and for how long. */
const MAX_TOMBSTONES = 10_000;
const TOMBSTONE_MS = 600_000;

const NEVER = { sinceMs: Infinity, untilMs: -Infinity };

/** A fleet in the making: copies what it changes, when it changes it. */
export class FleetDraft {
  readonly #fleet: Fleet;
  readonly #options: ApplyOptions;
  readonly #notes = {
    uncounted: { duplicate_id: 0, late: 0, too_many_workers: 0 },
    gone: { deregistered: 0, forgotten: 0 },
    unheard: new Map<Observation, UnheardReason>(),
  };
  readonly #workers: WorkerTableDraft;
  #gone: Map<WorkerId, Tombstone> | undefined;
  #membershipFromEtcd: boolean;
  #needsNats: boolean;
  #lastRound: RoundSummary | undefined;
  #goodRoundsSince: Instant | undefined;
  #lastGoodRoundAt: Instant | undefined;
  #lastCompleteRoundAt: Instant | undefined;
  readonly #changes: ChangesDraft;

  constructor(fleet: Fleet, options: ApplyOptions) {
    this.#fleet = fleet;
    this.#options = options;
    this.#workers = new WorkerTableDraft(fleet.workers);
    this.#membershipFromEtcd = fleet.membershipFromEtcd;
    this.#needsNats = fleet.needsNats;
    this.#lastRound = fleet.lastRound;
    this.#goodRoundsSince = fleet.goodRoundsSince;
    this.#lastGoodRoundAt = fleet.lastGoodRoundAt;
    this.#lastCompleteRoundAt = fleet.lastCompleteRoundAt;
    this.#changes = new ChangesDraft(fleet.changes);
  }

  takeAnswers(answers: readonly Answer[]): Parts<void> {
    return each(answers, (answer) => this.#takeAnswer(answer));
  }

  #takeAnswer(answer: Answer): void {
    const { now } = this.#options;
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
    if (tombstone !== undefined) {
      this.#comesBack(answer.worker);
    } else if (known === undefined) {
      this.#changes.came(answer.worker, "heard", now);
    } else if (known.answer && countersFell(known.answer, answer)) {
      this.#changes.restarted(answer.worker, now);
    }
    this.#workers.put({ ...(known ?? this.#newAnswering(answer.worker)), answer });
  }

  /** One that is not in the store while it answers is on its way in or out. */
  #newAnswering(id: WorkerId): Worker {
    return this.#membershipFromEtcd
      ? { ...newWorker(id, false), withdrawn: "withdrawn" }
      : newWorker(id, undefined);
  }

  /** A worker that is gone gave a sign of life. */
  #comesBack(id: WorkerId): void {
    this.#writeGone().delete(id);
    this.#changes.cameAgain(id, this.#options.now);
  }

  /** Takes the round's answers, and decides about the workers whose key vanished before its question was sent. */
  *closeRound(round: Round): Parts<void> {
    const { expected, answered, decoded, isComplete } = countAnswers(round.answers, this.#fleet.workers);
    yield;
    const twiceBefore = this.#notes.uncounted.duplicate_id;
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
      answeredTwice: this.#notes.uncounted.duplicate_id - twiceBefore,
    };
    this.#goodRoundsSince = isFailed(round) ? undefined : this.#goodRoundsSince ?? round.sentAt;
    if (isFailed(round)) return;
    this.#lastGoodRoundAt = round.endedAt;
    if (isComplete) this.#lastCompleteRoundAt = round.endedAt;
    for (const worker of this.#workers.values()) {
      const { undecidedSince, answer } = worker;
      if (undecidedSince === undefined || round.request <= undecidedSince) continue;
      if (answer !== undefined && answer.request > undecidedSince) {
        this.#workers.put({ ...worker, undecidedSince: undefined, withdrawn: "withdrawn" });
      } else {
        this.#bury(worker, undecidedSince);
        this.#notes.gone.deregistered++;
      }
    }
  }

  *takeMembership(membership: Membership): Parts<void> {
    this.#membershipFromEtcd = membership.known;
    if (membership.known) this.#needsNats = membership.needsNats;
    yield* each(this.#workers.values(), (worker) => this.#takeListing(worker, membership));
    if (!membership.known) return;
    yield* each([...membership.workers], ([id, registration]) => {
      if (this.#workers.has(id)) return;
      // One that is gone is back when it gives a sign of life: a store may come back with the keys of dead workers.
      if (!this.#readGone().has(id)) this.#changes.came(id, "registered", this.#options.now);
      this.#workers.put({ ...newWorker(id, true), registration });
    });
  }

  #takeListing(worker: Worker, membership: Membership): void {
    const { request } = this.#options;
    const registered = membership.known ? membership.workers.has(worker.id) : undefined;
    const vanished = registered === false && worker.registered !== false;
    if (vanished && worker.answer === undefined) { // Nobody waits for its answer.
      this.#bury(worker, request);
      this.#notes.gone.deregistered++;
      return;
    }
    const withdrawn = vanished ? this.#endOf(worker) : registered === false ? worker.withdrawn : undefined;
    const undecidedSince = vanished ? request : registered === false ? worker.undecidedSince : undefined;
    const heard = membership.known ? forgetRouters(worker.heard, membership.publishers) : worker.heard;
    const registration = membership.known
      ? membership.workers.get(worker.id) ?? NO_REGISTRATION
      : worker.registration;
    if (registered === true && worker.livesByEvents) {
      this.#workers.put({ ...toListed(worker), registered, undecidedSince, withdrawn, registration, heard });
    } else if (
      registered !== worker.registered || undecidedSince !== worker.undecidedSince ||
      heard !== worker.heard || !isSameRegistration(registration, worker.registration)
    ) this.#workers.put({ ...worker, registered, undecidedSince, withdrawn, registration, heard });
  }

  /** Only of workers that etcd lists, or that answered; without etcd, of those too that only the target can have. */
  takeObservations(observations: readonly Observation[]): Parts<void> {
    return each(observations, (observation) => {
      const known = this.#workers.get(observation.worker);
      const worker = known ?? this.#meet(observation);
      if (typeof worker === "string") return void this.#notes.unheard.set(observation, worker);
      const tombstone = this.#readGone().get(worker.id);
      if (tombstone !== undefined && observation.at.monotonicMs > tombstone.atMs) this.#comesBack(worker.id);
      if (pageCountersFell(worker, observation)) this.#changes.restarted(worker.id, observation.at);
      this.#workers.put(listen(worker, observation));
    });
  }

  /** A worker that nobody lists, by what it says itself; one that went, only by what it says after that. */
  #meet({ worker, at, targets, said }: Observation): Worker | UnheardReason {
    if (this.#membershipFromEtcd || !targets?.has(this.#fleet.target) || said.kind === "router") {
      return "unknown_worker";
    }
    const tombstone = this.#readGone().get(worker);
    if (tombstone !== undefined && at.monotonicMs <= tombstone.atMs) return "unknown_worker";
    if (this.#isFull) return "too_many_workers";
    if (tombstone === undefined) this.#changes.came(worker, "heard", at);
    return { ...newWorker(worker, undefined), livesByEvents: true };
  }

  forgetVias(vias: ReadonlySet<string>): void {
    if (vias.size === 0) return;
    for (const worker of this.#workers.values()) {
      const changed = forget(worker, vias);
      if (changed !== worker) this.#workers.put(changed);
    }
  }

  /**
   * Looks who fell silent, and lets go of the workers that nobody lists: at once when etcd says so, rounds work and it is silent
   * (it drained, and has ended), else when it has not answered for long; and of old tombstones.
   */
  *forget(): Parts<void> {
    const { now, limits, request } = this.#options;
    const answerSight = this.#answerSight;
    const look = new Look({
      now,
      limits,
      sight: this.#options.sight,
      answerSight,
      lastSeenRequest: this.#lastSeenRequest,
      changes: this.#changes,
    });
    const roundsWork = this.#lastRound !== undefined && !this.#lastRound.failed;
    const { sinceMs, untilMs } = roundsWork && answerSight || NEVER;
    yield* each(this.#workers.values(), (before) => {
      const worker = look.at(before);
      if (worker !== before) this.#workers.put(worker);
      const { registered, answer } = worker;
      const sign = lastSign(worker);
      if (registered === true || sign === undefined) return;
      const quietMs = answer ? untilMs - Math.max(sinceMs, answer.at.monotonicMs) : 0;
      if (registered === false && quietMs >= limits.staleAfterMs) {
        this.#bury(worker, request);
        this.#notes.gone.deregistered++;
      } else if (now.monotonicMs - sign.monotonicMs >= limits.forgetAfterMs) {
        this.#bury(worker, request);
        this.#notes.gone.forgotten++;
      }
    });
    look.end();
    for (const [id, { atMs }] of this.#readGone()) {
      if (now.monotonicMs - atMs < TOMBSTONE_MS) break; // The rest is younger.
      this.#writeGone().delete(id);
    }
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
      goodRoundsSince: this.#goodRoundsSince,
      lastGoodRoundAt: this.#lastGoodRoundAt,
      lastCompleteRoundAt: this.#lastCompleteRoundAt,
      changes: this.#changes.finish(),
    };
    return { fleet, notes: this.#notes };
  }

  #bury(worker: Worker, request: number): void {
    const { id, withdrawn, silence } = worker;
    const { now } = this.#options;
    this.#changes.gone(id, {
      at: now,
      seenAt: lastSign(worker),
      reason: withdrawn ?? this.#endOf(worker),
      aliveBefore: silence?.aliveBefore ?? this.#fleet.changes.alive,
    });
    this.#workers.delete(id);
    this.#writeGone().delete(id); // The youngest stand last.
    this.#writeGone().set(id, { request, atMs: now.monotonicMs });
    dropOldest(this.#writeGone(), MAX_TOMBSTONES);
  }

  #endOf(worker: Worker): GoneReason {
    return endOf(worker, { now: this.#options.now, lastSeenRequest: this.#lastSeenRequest });
  }

  get #lastSeenRequest(): number | undefined {
    return seenRequest(this.#lastRound, this.#options.sight);
  }

  /** When answers could reach us: not while rounds fail that are needed. */
  get #answerSight(): Sight {
    const { sight } = this.#options;
    if (sight === undefined || !this.#needsNats || this.#lastRound === undefined) return sight;
    if (this.#goodRoundsSince === undefined) return undefined;
    return { ...sight, sinceMs: Math.max(sight.sinceMs, this.#goodRoundsSince.monotonicMs) };
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
