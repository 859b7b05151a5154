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
  /** How many workers were alive at the last look; those that could not be seen as before. */
  readonly alive: number;
  readonly lookedMs: number;
}

export const NO_CHANGES: Changes = {
  log: [],
  losses: [],
  since: undefined,
  alive: 0,
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
  /** How many workers the look that has ended found alive. */
  #found = 0;
  #looked: Pick<Changes, "since" | "alive" | "lookedMs">;

  constructor(before: Changes) {
    this.#before = before;
    this.#looked = before;
  }

  /** How many workers were alive at the last look; those that could not be seen as before. */
  get alive(): number {
    return this.#looked.alive;
  }

  /** A worker was not there before. */
  came(worker: WorkerId, reason: "registered" | "heard", at: Instant): void {
    const { since } = this.#before;
    const isFirstLook = since === undefined || at.monotonicMs - since.monotonicMs < FIRST_LOOK_MS;
    if (!isFirstLook) this.note({ at, worker, kind: "new", reason });
  }

  /** A worker that went is there again. */
  cameAgain(worker: WorkerId, at: Instant): void {
    this.note({ at, worker, kind: "back", reason: "came_again" });
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

  /** A look at all workers begins. */
  look(now: Instant): void {
    const { since, alive } = this.#looked;
    this.#looked = { since: since ?? now, alive, lookedMs: now.monotonicMs };
  }

  /** The look is over; `unseen` were alive before, and cannot be seen now. */
  looked({ alive, unseen }: { readonly alive: number; readonly unseen: number }): void {
    this.#looked = { ...this.#looked, alive: alive + unseen };
    this.#found = alive;
  }

  finish(): Changes {
    const { since, alive, lookedMs } = this.#looked;
    const log = this.#news.length === 0
      ? this.#before.log
      : lastChanges([...this.#before.log, ...this.#news]);
    return { log, losses: this.#losses(), since, alive, lookedMs };
  }

  #losses(): readonly Loss[] {
    const { lookedMs } = this.#looked;
    const mattering = this.#before.losses.filter(({ at }) => lookedMs - at.monotonicMs < RECOVERY_MS);
    const most = mattering.reduce((most, { aliveBefore }) => Math.max(most, aliveBefore), 0);
    const before = this.#found >= most ? NO_CHANGES.losses : mattering;
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
