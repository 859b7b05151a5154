import type { Instant, Span } from "../timing.ts";
import type { ChangesDraft, GoneReason } from "./changes.ts";
import type { RoundSummary } from "./fleet.ts";
import { saysAnything } from "./heard.ts";
import { type FleetLimits, lastSign, type Worker } from "./worker.ts";

/** When signs of life of workers could reach us; undefined while they cannot. */
export type Sight = Span | undefined;

export interface LookOptions {
  readonly now: Instant;
  readonly limits: FleetLimits;
  readonly sight: Sight;
  /** The newest question to which an answer would have been seen by now. */
  readonly lastSeenRequest: number | undefined;
  readonly changes: ChangesDraft;
}

/** A look at all workers: who fell silent since the last one, and who is back. */
export class Look {
  readonly #options: LookOptions;
  /** From so late a sign of life on a worker is not silent. */
  readonly #aliveSinceMs: number;
  /** Who gave no sign since then has fallen silent; undefined while that cannot be seen. */
  readonly #silentSinceMs: number | undefined;
  readonly #aliveBefore: number;
  #alive = 0;
  /** Those that gave no sign for long where it could not be seen, and were alive before. */
  #unseen = 0;

  constructor(options: LookOptions) {
    const { now, limits: { staleAfterMs }, sight, changes } = options;
    this.#options = options;
    this.#aliveBefore = changes.alive;
    this.#aliveSinceMs = now.monotonicMs - staleAfterMs;
    if (sight && sight.untilMs - sight.sinceMs >= staleAfterMs) {
      this.#silentSinceMs = sight.untilMs - staleAfterMs;
    }
    changes.look(now);
  }

  /** The worker, with what the look shows. */
  at(worker: Worker): Worker {
    const { now, changes } = this.#options;
    const sign = lastSign(worker);
    const isWithdrawn = worker.withdrawn === "withdrawn";
    if (sign === undefined || sign.monotonicMs > this.#aliveSinceMs) {
      const isAlive = worker.answer !== undefined || saysAnything(worker.heard);
      if (isAlive && !isWithdrawn) this.#alive++;
      if (worker.silence === undefined) return worker;
      changes.note({ at: now, worker: worker.id, kind: "back", reason: "heard" });
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

  /** Whether a worker gave no sign since this one, although it could have been seen. */
  #isMissed(worker: Worker, sign: Instant): boolean {
    return this.#silentSinceMs !== undefined && sign.monotonicMs <= this.#silentSinceMs &&
      (sign !== worker.answer?.at || isUnanswered(worker, this.#options.lastSeenRequest));
  }

  end(): void {
    this.#options.changes.looked({ alive: this.#alive, unseen: this.#unseen });
  }
}

/** Whether a worker did not answer a question that came after those that it answered. */
function isUnanswered({ answer }: Worker, lastSeenRequest: number | undefined): boolean {
  return answer !== undefined && lastSeenRequest !== undefined && answer.request < lastSeenRequest;
}

/** The question of a round, if an answer to it would have been seen by now: it was sent, and something came since. */
export function seenRequest(round: RoundSummary | undefined, sight: Sight): number | undefined {
  if (round === undefined || round.failed || sight === undefined) return undefined;
  const sentAtMs = round.sentAt.monotonicMs;
  return sight.sinceMs <= sentAtMs && sentAtMs < sight.untilMs ? round.request : undefined;
}

/** A worker whose last sign of life is so young was alive: no lease of Dynamo's ends so soon after its holder. */
const FRESH_MS = 4_000;

/** What the end of a worker is to be called whose key vanishes now, or that is forgotten. */
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
