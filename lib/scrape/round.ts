import type { Instant } from "../timing.ts";
import type { Answer, EntryRejection, ReplyRejection } from "./answer.ts";
import type { StopReason } from "./stop_rule.ts";

/** Answers and what was counted while reading them. */
export interface Replies {
  readonly answers: readonly Answer[];
  readonly replies: number;
  /** How many replies were refused, and how many entries of good ones. */
  readonly rejected: Readonly<Record<ReplyRejection, number>>;
  readonly rejectedEntries: Readonly<Record<EntryRejection, number>>;
}

/** One question to all workers of a target, and what came of it until the round's end. */
export interface Round extends Replies {
  /** The number of the question; later questions have greater numbers. */
  readonly request: number;
  readonly sentAt: Instant;
  readonly endedAt: Instant;
  readonly outcome: StopReason | RoundFailure;
}

/** What came of questions: a round that has ended, or answers that came after the end of theirs. */
export type AnswerInput =
  | { readonly kind: "round"; readonly round: Round }
  | { readonly kind: "late"; readonly replies: Replies };

/** Why a round could not be sent and collected. */
export type RoundFailure = "disconnected" | "refused";

export function isFailed(round: Round): boolean {
  return round.outcome === "disconnected" || round.outcome === "refused";
}
