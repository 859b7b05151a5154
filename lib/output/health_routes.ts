import type { Handler } from "./server.ts";
import { textAnswer } from "./text_answer.ts";

/** What `/readyz` says. `ready` is false before the first round and while stopping. */
export interface Health {
  readonly alive: boolean;
  readonly ready: boolean;
  readonly reasons: readonly string[];
  /** What is good to know beside, and degrades nothing. */
  readonly notes: readonly string[];
}

/** `/livez`: 200 while the program does its work, whatever it can reach. */
export function liveness(health: () => Health): Handler {
  return () => health().alive ? textAnswer(200, "ok") : textAnswer(503, "the poll loop does not turn");
}

/** `/readyz`: 503 until there is something to show; with `?strict` also while not all is reached. */
export function readiness(health: () => Health): Handler {
  return (_request, { searchParams }) => {
    const { ready, reasons, notes } = health();
    const status = reasons.length === 0 ? "ok" : "degraded";
    const isFine = ready && !(searchParams.has("strict") && status !== "ok");
    return Response.json({ status, reasons, ...(notes.length > 0 && { notes }) }, {
      status: isFine ? 200 : 503,
    });
  };
}
