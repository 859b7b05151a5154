/** What readers of the API say of what became of workers. Pages and terminals say the same. */

import type { Losses, WorkerChange } from "../exposition/api_v1.ts";

/** What became of a worker, in a word. A lost worker fell silent and went; one that left answered until it was taken out. */
export function changeWord({ kind, reason }: WorkerChange): WorkerChange["kind"] | "lost" | "left" {
  if (kind !== "gone") return kind;
  return reason === "silent" ? "lost" : reason === "withdrawn" ? "left" : "gone";
}

/** How that is known, in a few words: there is little room beside a change. */
export function changeReason(change: WorkerChange): string {
  switch (change.reason) {
    case "registered":
      return "registered";
    case "heard":
      return change.kind === "new" ? "first heard" : "heard again";
    case "no_sign":
      return `no sign for ${lastSignText(change)}`;
    case "came_again":
      return "had gone";
    case "counters_fell":
      return "counters began again";
    case "silent":
      return `silent for ${lastSignText(change)}`;
    case "withdrawn":
      return "while it answered";
    case "unknown":
      return change.last_seen_at === undefined
        ? "gave no regular signs"
        : `last sign ${lastSignText(change)} before`;
  }
}

/** " 12 s ago", " just now", or of several ", the last 12 s ago". */
export function lossAgo({ workers, at }: Losses, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(at)) / 1_000));
  const ago = seconds === 0 ? "just now" : `${spanText(seconds)} ago`;
  return `${workers === 1 ? "" : ", the last"} ${ago}`;
}

function lastSignText({ at, last_seen_at }: WorkerChange): string {
  if (last_seen_at === undefined) return "some time";
  return spanText(Math.max(0, Math.round((Date.parse(at) - Date.parse(last_seen_at)) / 1_000)));
}

function spanText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`;
}
