import type { Worker } from "../exposition/api_v1.ts";

/** The words of a text that somebody filters by. */
export function filterWords(text: string): readonly string[] {
  return text.toLowerCase().split(/\s+/).filter((word) => word !== "");
}

/**
 * What a filter's words are looked for in, in lower case: a worker's id as it is and as Dynamo writes it in subjects and keys,
 * its state as it is and as people read it, whether it is stuck, its type, model and release.
 */
export function searchText({ id, state, stuck_since, worker_type, model, release }: Worker): string {
  const stuck = stuck_since === undefined ? undefined : "stuck";
  return [id, hexOf(id), state, state.replace("_", " "), stuck, worker_type, model, release]
    .join(" ").toLowerCase();
}

/** The id as Dynamo writes it in subjects and keys. */
export function hexOf(id: string): string {
  return /^\d+$/.test(id) ? BigInt(id).toString(16) : "";
}
