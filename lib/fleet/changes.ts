import { MAX_NAMED, type WorkerId } from "../dynamo/worker_id.ts";
import type { Instant } from "../timing.ts";
import { lastChanges } from "./last_changes.ts";

/** What becomes of workers, and why. Closed sets: readers of the API get them. */
export const CHANGE_REASONS = {
  /** It was not there before. */
  new: ["registered", "heard"],
  silent: ["no_sign"],
  /** It was silent, or gone. */
  back: ["heard", "came_again"],
  /** It is the same worker, and what it counts began again. */
  restarted: ["counters_fell"],
  /** It was silent before; or it was taken out of the store while it answered; or which of the two is not known. */
  gone: ["silent", "withdrawn", "unknown"],
} as const;

export type ChangeKind = keyof typeof CHANGE_REASONS;
export type GoneReason = typeof CHANGE_REASONS.gone[number];

/** One thing that became of a worker. */
export type WorkerChange = {
  readonly [Kind in ChangeKind]: {
    readonly at: Instant;
    readonly worker: WorkerId;
    readonly kind: Kind;
    readonly reason: typeof CHANGE_REASONS[Kind][number];
    /** Its last sign of life, of one that is silent or gone. */
    readonly seenAt?: Instant | undefined;
  };
}[ChangeKind];

/** Workers that were lost at the same moment: they fell silent, and then went. */
export interface Loss {
  readonly at: Instant;
  readonly count: number;
  /** The first of them. */
  readonly workers: readonly WorkerId[];
  /** How many workers were alive before the first of them fell silent. */
  readonly aliveBefore: number;
}

/** What became of a target's workers, kept for those who look later. */
export interface Changes {
  /** The last ones, oldest first. */
  readonly log: readonly WorkerChange[];
  /** Those that still matter: see `RECOVERY_MS`. */
  readonly losses: readonly Loss[];
  /** Since when the workers are watched. */
  readonly since: Instant | undefined;
  /** How many workers were alive when last looked at. */
  readonly alive: number;
  /** Since when it can be seen without a break whether workers are alive; undefined while it cannot. */
  readonly seeingSinceMs: number | undefined;
  readonly lookedMs: number;
}

export const NO_CHANGES: Changes = {
  log: [],
  losses: [],
  since: undefined,
  alive: 0,
  seeingSinceMs: undefined,
  lookedMs: -Infinity,
};

/** A loss matters for so long, or until as many workers are alive as before it. */
const RECOVERY_MS = 300_000;
/** Workers that appear so soon after the start were there before it. */
const FIRST_LOOK_MS = 5_000;

/** The changes in the making; those before stay as they are. */
export class ChangesDraft {
  readonly #before: Changes;
  readonly #news: WorkerChange[] = [];
  readonly #restarted = new Set<WorkerId>();
  readonly #lost: WorkerId[] = [];
  #lostAt: Instant | undefined;
  #lostCount = 0;
  #aliveBeforeLoss = 0;
  /** A look has ended, so `alive` is of now. */
  #hasLooked = false;
  #looked: Pick<Changes, "since" | "alive" | "seeingSinceMs" | "lookedMs">;

  constructor(before: Changes) {
    this.#before = before;
    this.#looked = before;
  }

  /** Since when it can be seen without a break whether workers are alive. */
  get seeingSinceMs(): number | undefined {
    return this.#looked.seeingSinceMs;
  }

  /** How many workers were alive when last looked at. */
  get alive(): number {
    return this.#looked.alive;
  }

  /** A worker was not there before; `isBack` of one that was, and went. */
  came(
    worker: WorkerId,
    reason: "registered" | "heard",
    { at, isBack }: { at: Instant; isBack: boolean },
  ): void {
    const { since } = this.#before;
    if (isBack) this.note({ at, worker, kind: "back", reason: "came_again" });
    else if (since !== undefined && at.monotonicMs - since.monotonicMs >= FIRST_LOOK_MS) {
      this.note({ at, worker, kind: "new", reason });
    }
  }

  /** What a worker counts began again. Each of its ranks may tell of it. */
  restarted(worker: WorkerId, at: Instant): void {
    if (!this.#restarted.has(worker)) {
      this.note({ at, worker, kind: "restarted", reason: "counters_fell" });
    }
    this.#restarted.add(worker);
  }

  /** `aliveBefore` is how many workers were alive before it fell silent, if it did. */
  gone(
    worker: WorkerId,
    { at, seenAt, reason, aliveBefore }: {
      readonly at: Instant;
      readonly seenAt: Instant | undefined;
      readonly reason: GoneReason;
      readonly aliveBefore: number;
    },
  ): void {
    this.note({ at, worker, kind: "gone", reason, seenAt });
    if (reason !== "silent") return;
    this.#lostAt = at;
    this.#lostCount++;
    if (this.#lost.length < MAX_NAMED) this.#lost.push(worker);
    this.#aliveBeforeLoss = Math.max(this.#aliveBeforeLoss, aliveBefore);
  }

  note(change: WorkerChange): void {
    this.#news.push(change);
  }

  /**
   * A look at all workers begins. After a break as long as `breakMs` (the process was stopped, say) it has to be seen anew who
   * is alive.
   */
  look(now: Instant, { canSee, breakMs }: { readonly canSee: boolean; readonly breakMs: number }): void {
    const { since, seeingSinceMs, lookedMs } = this.#looked;
    const isBroken = now.monotonicMs - lookedMs > breakMs;
    this.#looked = {
      ...this.#looked,
      since: since ?? now,
      seeingSinceMs: !canSee ? undefined : isBroken ? now.monotonicMs : seeingSinceMs ?? now.monotonicMs,
      lookedMs: now.monotonicMs,
    };
  }

  /** The look is over, and so many workers were alive. Nothing is known of that while it cannot be seen. */
  looked(alive: number): void {
    if (this.seeingSinceMs === undefined) return;
    this.#looked = { ...this.#looked, alive };
    this.#hasLooked = true;
  }

  finish(): Changes {
    const { since, alive, seeingSinceMs, lookedMs } = this.#looked;
    const log = this.#news.length === 0
      ? this.#before.log
      : lastChanges([...this.#before.log, ...this.#news]);
    return { log, losses: this.#losses(), since, alive, seeingSinceMs, lookedMs };
  }

  #losses(): readonly Loss[] {
    const { alive, lookedMs } = this.#looked;
    const mattering = this.#before.losses.filter(({ at }) => lookedMs - at.monotonicMs < RECOVERY_MS);
    const most = mattering.reduce((most, { aliveBefore }) => Math.max(most, aliveBefore), 0);
    const isRecovered = this.#hasLooked && alive >= most;
    const before = mattering.length === 0 || isRecovered ? NO_CHANGES.losses : mattering;
    if (this.#lostAt === undefined) {
      return before.length === this.#before.losses.length ? this.#before.losses : before;
    }
    const loss = {
      at: this.#lostAt,
      count: this.#lostCount,
      workers: this.#lost,
      aliveBefore: this.#aliveBeforeLoss,
    };
    return [...before, loss];
  }
}
