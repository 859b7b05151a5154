/** How much weight requests have that wait. The page and the terminal say the same. */

export type WaitingWeight = "none" | "some" | "many";

/** From how many on it is many, if slots are not known. */
const MANY = 10;

/** Some from the first request that waits on; many if at least as many wait as there are slots to work on them. */
export function waitingWeight(waiting: number | undefined, slots: number | undefined): WaitingWeight {
  if (!waiting) return "none";
  return waiting >= (slots || MANY) ? "many" : "some";
}
