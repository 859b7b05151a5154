/** How far a round has come. Times are monotonic milliseconds. */
export interface RoundProgress {
  readonly startedMs: number;
  /** When the last reply or "no responders" came; the start while there was none. */
  readonly lastHeardMs: number;
  /** Workers the round waits for; 0 means that nobody knows who is there. */
  readonly expected: number;
  /** Those of them that have not answered, under a service name at which somebody may still answer. */
  readonly missing: number;
  /** Service names of which the server has not said that nobody listens. */
  readonly openServices: number;
}

export interface RoundLimits {
  /** A round never lasts longer. */
  readonly hardMs: number;
  /** With nobody expected: how long after the last word the round ends. */
  readonly quietMs: number;
}

export type StopReason = "all_answered" | "no_responders" | "quiet" | "hard_limit";

export type StopDecision = { readonly end: StopReason } | { readonly waitMs: number };

/** Whether a round ends now, or how long it may go on if nothing is heard. */
export function decideStop(progress: RoundProgress, limits: RoundLimits, nowMs: number): StopDecision {
  const { startedMs, lastHeardMs, expected, missing, openServices } = progress;
  if (openServices === 0) return { end: "no_responders" };
  if (expected > 0 && missing === 0) return { end: "all_answered" };
  const hardAt = startedMs + limits.hardMs;
  if (nowMs >= hardAt) return { end: "hard_limit" };
  if (expected > 0) return { waitMs: hardAt - nowMs };
  const quietAt = lastHeardMs + limits.quietMs;
  if (nowMs >= quietAt) return { end: "quiet" };
  return { waitMs: Math.min(hardAt, quietAt) - nowMs };
}
