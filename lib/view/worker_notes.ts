/** What readers of the API say of a worker beside its state and its numbers. Pages and terminals say the same. */

import { firstPassText, partialText, silentRanksText, stuckText } from "../fleet/worker_texts.ts";
import type { State, Worker } from "../exposition/api_v1.ts";

/** One thing to say of a worker. */
export interface Note {
  /** `bad` needs a look, `warn` says that something is missing, `plain` says how things are. */
  readonly tone: "bad" | "warn" | "plain";
  readonly text: string;
}

/** All there is to say of a worker, worst first. `nowMs` is the server's clock. */
export function workerNotes(worker: Worker, nowMs: number): readonly Note[] {
  const notes: Note[] = [];
  const add = (tone: Note["tone"], text: string | undefined) => {
    if (text !== undefined) notes.push({ tone, text });
  };
  add("bad", stuckNote(worker, nowMs));
  add("bad", silentRanksNote(worker));
  add("plain", firstPassNote(worker));
  add("warn", worker.page_problem === undefined ? undefined : `Page: ${worker.page_problem}`);
  return notes;
}

/** For how long it finished no forward pass with requests in flight, in milliseconds; undefined if it is not stuck. */
export function stuckMs({ stuck_since }: Pick<Worker, "stuck_since">, nowMs: number): number | undefined {
  return stuck_since === undefined ? undefined : Math.max(0, nowMs - Date.parse(stuck_since));
}

/** "8 requests in flight, no forward pass for 20 s"; undefined if it is not stuck. */
export function stuckNote(worker: Worker, nowMs: number): string | undefined {
  const ms = stuckMs(worker, nowMs);
  const { requests_in_flight } = worker;
  return ms === undefined || requests_in_flight === undefined
    ? undefined
    : stuckText(requests_in_flight, ms / 1_000);
}

/** "8 requests in flight, none started yet"; undefined if the engine has finished a pass, or was asked nothing. */
export function firstPassNote({ first_pass_pending, requests_in_flight }: Worker): string | undefined {
  return first_pass_pending && requests_in_flight !== undefined
    ? firstPassText(requests_in_flight)
    : undefined;
}

/** "4 of 8 ranks"; undefined if the numbers are over all ranks, or how many there are is not known. */
export function partialNote({ ranks_heard, ranks_expected }: Worker): string | undefined {
  return partialText(ranks_heard, ranks_expected);
}

/** "rank 1 is silent"; undefined if none is. */
export function silentRanksNote(worker: Worker): string | undefined {
  return silentRanksText(silentRanks(worker));
}

/** The ranks whose heartbeats have ended. */
export function silentRanks({ ranks }: Worker): readonly number[] {
  if (ranks === undefined) return [];
  return ranks.filter(({ silent }) => silent).map(({ dp_rank }) => dp_rank);
}

/** What needs a look comes first. */
const SEVERITY = ["silent", "stuck", "silent_ranks", "undecodable", "no_data", "discovered", "responding"];

/** Where a worker stands in the order by attention: the lowest comes first. */
export function severityOf(worker: Worker): number {
  return SEVERITY.indexOf(conditionOf(worker));
}

/** Its state, or in what trouble it is that this does not tell. A silent worker is nothing but silent. */
export function conditionOf(worker: Worker): State | "stuck" | "silent_ranks" {
  if (worker.state === "silent") return "silent";
  if (worker.stuck_since !== undefined) return "stuck";
  return worker.ranks?.some(({ silent }) => silent) ? "silent_ranks" : worker.state;
}
