/** What is said of a worker in the log, by `/readyz`, on the page and in the terminal, in the same words. */

/** "8 requests in flight, no forward pass for 20 s". */
export function stuckText(requestsInFlight: number, seconds: number): string {
  return `${inFlight(requestsInFlight)}, no forward pass for ${Math.floor(seconds)} s`;
}

/** "8 requests in flight, none started yet". */
export function firstPassText(requestsInFlight: number): string {
  return `${inFlight(requestsInFlight)}, none started yet`;
}

/** "4 of 8 ranks"; undefined if the numbers are over all ranks, or their number is not known. */
export function partialText(heard: number | undefined, expected: number | undefined): string | undefined {
  if (heard === undefined || expected === undefined || heard >= expected) return undefined;
  return `${heard} of ${expected} ranks`;
}

/** "rank 1 is silent", "ranks 1, 3 are silent"; undefined if none is. */
export function silentRanksText(dpRanks: readonly number[]): string | undefined {
  if (dpRanks.length === 0) return undefined;
  return dpRanks.length === 1 ? `rank ${dpRanks[0]} is silent` : `ranks ${dpRanks.join(", ")} are silent`;
}

function inFlight(requests: number): string {
  return `${requests} ${requests === 1 ? "request" : "requests"} in flight`;
}
