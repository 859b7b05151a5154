import type { Instant, Span } from "../timing.ts";
import type { ChangesDraft, GoneReason } from "./changes.ts";
import type { RoundSummary } from "./fleet.ts";
import { saysAnything } from "./heard.ts";
import { type FleetLimits, lastSign, type Worker } from "./worker.ts";

/** The unbroken time in which we could hear workers. Undefined if we cannot hear them now. */
export type Sight = Span | undefined;

export interface LookOptions {
  readonly now: Instant;
  readonly limits: FleetLimits;
  /** When we could hear what workers say by themselves, and when their answers. */
  readonly sight: Sight;
  readonly answerSight: Sight;
  /** The last request whose answers would have arrived by now. */
  readonly lastSeenRequest: number | undefined;
  readonly changes: ChangesDraft;
}

/** Goes through all workers and notes which fell silent or came back. */
export class Look {
  readonly #options: LookOptions;
  /** A worker with a sign of life after this is not silent. */
  readonly #aliveSinceMs: number;
  /** A worker without a sign since then has fallen silent. Undefined if we have not listened long enough to tell. */
  readonly #silentSinceMs: number | undefined;
  /** The same of a worker whose last sign is an answer. */
  readonly #unansweredSinceMs: number | undefined;
  readonly #aliveBefore: number;
  #alive = 0;
  /** Workers that are quiet while we could not hear them. They still count as alive. */
  #unseen = 0;

  constructor(options: LookOptions) {
    const { now, limits: { staleAfterMs }, sight, answerSight, changes } = options;
    this.#options = options;
    this.#aliveBefore = changes.alive;
    this.#aliveSinceMs = now.monotonicMs - staleAfterMs;
    this.#silentSinceMs = missedSince(sight, staleAfterMs);
    this.#unansweredSinceMs = missedSince(answerSight, staleAfterMs);
    changes.look(now);
  }

  /** The worker with its silence updated. */
  at(worker: Worker): Worker {
    const { now, changes } = this.#options;
    const sign = lastSign(worker);
    const isWithdrawn = worker.withdrawn === "withdrawn";
    if (sign === undefined || sign.monotonicMs > this.#aliveSinceMs) {
      // What it said is forgotten with its connection, which ends before it is known whether the worker has ended.
      const isAlive = sign !== undefined || saysAnything(worker.heard);
      if (isAlive && !isWithdrawn) this.#alive++;
      if (worker.silence === undefined) return worker;
      if (sign !== undefined) changes.note({ at: now, worker: worker.id, kind: "back", reason: "heard" });
      return { ...worker, silence: undefined };
    }
    if (worker.silence || isWithdrawn) return worker;
    if (!this.#isMissed(worker, sign)) {
      this.#unseen++;
      return worker;
    }
    changes.note({ at: now, worker: worker.id, kind: "silent", reason: "no_sign", seenAt: sign });
    return { ...worker, silence: { aliveBefore: this.#aliveBefore } };
  }

  /** True if the worker was quiet since `sign` and we would have heard it. */
  #isMissed(worker: Worker, sign: Instant): boolean {
    const isAnswer = sign === worker.answer?.at;
    if (isAnswer && !isUnanswered(worker, this.#options.lastSeenRequest)) return false;
    const sinceMs = isAnswer ? this.#unansweredSinceMs : this.#silentSinceMs;
    return sinceMs !== undefined && sign.monotonicMs <= sinceMs;
  }

  end(): void {
    this.#options.changes.looked({ alive: this.#alive, unseen: this.#unseen });
  }
}

/** From when on a sign of life counts, if we have listened for long enough. */
function missedSince(sight: Sight, staleAfterMs: number): number | undefined {
  return sight && sight.untilMs - sight.sinceMs >= staleAfterMs ? sight.untilMs - staleAfterMs : undefined;
}

/** True if a request newer than its last answer went unanswered. */
function isUnanswered({ answer }: Worker, lastSeenRequest: number | undefined): boolean {
  return answer !== undefined && lastSeenRequest !== undefined && answer.request < lastSeenRequest;
}

/** The round's request, if we could hear workers from before it was sent until after that. */
export function seenRequest(round: RoundSummary | undefined, sight: Sight): number | undefined {
  if (round === undefined || round.failed || sight === undefined) return undefined;
  const sentAtMs = round.sentAt.monotonicMs;
  return sight.sinceMs <= sentAtMs && sentAtMs < sight.untilMs ? round.request : undefined;
}

/** A worker heard this recently was alive when its key went. Dynamo's leases take longer to expire. */
const FRESH_MS = 4_000;

/** Why a worker is gone: its key vanishes now, or it is forgotten. */
export function endOf(
  worker: Worker,
  { now, lastSeenRequest }: { readonly now: Instant; readonly lastSeenRequest: number | undefined },
): GoneReason {
  if (worker.silence !== undefined) return "silent";
  const sign = lastSign(worker);
  if (sign === undefined) return "unknown";
  if (now.monotonicMs - sign.monotonicMs <= FRESH_MS) return "withdrawn";
  return sign === worker.answer?.at && isUnanswered(worker, lastSeenRequest) ? "silent" : "unknown";
}
