import type { Instant } from "../timing.ts";
import type { ChangesDraft, GoneReason } from "./changes.ts";
import { saysAnything } from "./heard.ts";
import { type FleetLimits, lastSign, type Worker } from "./worker.ts";

export interface LookOptions {
  readonly now: Instant;
  readonly limits: FleetLimits;
  /** Whether it can be seen at all if workers are alive. */
  readonly canSee: boolean;
  readonly changes: ChangesDraft;
}

/** A look at all workers: who fell silent since the last one, and who is back. */
export class Look {
  readonly #options: LookOptions;
  /** From so late a sign of life on a worker is not silent. */
  readonly #aliveSinceMs: number;
  readonly #aliveBefore: number;
  #alive = 0;

  constructor(options: LookOptions) {
    const { now, limits: { staleAfterMs }, canSee, changes } = options;
    this.#options = options;
    this.#aliveBefore = changes.alive;
    changes.look(now, { canSee, breakMs: 1.5 * staleAfterMs });
    this.#aliveSinceMs = now.monotonicMs - staleAfterMs;
  }

  /** The worker, with what the look shows. */
  at(worker: Worker): Worker {
    const { now, changes } = this.#options;
    const sign = lastSign(worker);
    if (sign === undefined || sign.monotonicMs > this.#aliveSinceMs) {
      if (worker.answer !== undefined || saysAnything(worker.heard)) this.#alive++;
      if (worker.silence === undefined) return worker;
      changes.note({ at: now, worker: worker.id, kind: "back", reason: "heard" });
      return { ...worker, silence: undefined };
    }
    const { seeingSinceMs } = changes;
    if (worker.silence || seeingSinceMs === undefined || seeingSinceMs > this.#aliveSinceMs) return worker;
    changes.note({ at: now, worker: worker.id, kind: "silent", reason: "no_sign", seenAt: sign });
    return { ...worker, silence: { aliveBefore: this.#aliveBefore } };
  }

  end(): void {
    this.#options.changes.looked(this.#alive);
  }
}

/** A worker whose last sign of life is so young was alive: no lease of Dynamo's ends so soon after its holder. */
const FRESH_MS = 4_000;

/**
 * What the end of a worker is to be called whose key vanishes now, or that is forgotten. `lastRequest` is the question of the
 * last round that was over and did not fail.
 */
export function endOf(
  worker: Worker,
  { now, lastRequest }: { readonly now: Instant; readonly lastRequest: number | undefined },
): GoneReason {
  if (worker.silence !== undefined) return "silent";
  const sign = lastSign(worker);
  if (sign === undefined) return "unknown";
  if (now.monotonicMs - sign.monotonicMs <= FRESH_MS) return "withdrawn";
  const isMissing = sign === worker.answer?.at && lastRequest !== undefined &&
    worker.answer.request < lastRequest;
  return isMissing ? "silent" : "unknown";
}
