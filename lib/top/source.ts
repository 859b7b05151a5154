import type { Fleet, HistoryAnswer } from "../exposition/api_v1.ts";

/** What a source has at a moment. */
export interface Reading {
  /** The newest; undefined before the first. */
  readonly fleet: Fleet | undefined;
  /** How long ago it was told. */
  readonly ageMs: number;
  /** The fleet is no longer told: it is as it last was known. */
  readonly isLost: boolean;
  /** Why something is not there, in one line, where that is known. */
  readonly problem: string | undefined;
}

/** Moments of the server's clock, in milliseconds. */
export interface Moments {
  readonly nowMs: number;
  /** Until when it is known how things are: while the fleet is lost, that stands. */
  readonly knownMs: number;
}

export function momentsOf(fleet: Fleet, { ageMs, isLost }: Reading): Moments {
  const atMs = Date.parse(fleet.at);
  return { nowMs: atMs + ageMs, knownMs: isLost ? atMs : atMs + ageMs };
}

/** Where a fleet is seen: by a monitor of our own, or by the API of a `metrics` that runs. */
export interface FleetSource {
  /** Where that is, for people; undefined for a monitor of our own. */
  readonly url: string | undefined;
  read(): Reading;
  /** Calls `listener` when there is something new to read, until the result is disposed of. */
  subscribe(listener: () => void): Disposable;
  /** The last minutes of the fleet, or of one worker; undefined where they cannot be had. */
  past(worker?: string): Promise<HistoryAnswer | undefined>;
  /** Keeps it up to date, until aborted. */
  run(signal: AbortSignal): Promise<void>;
}
