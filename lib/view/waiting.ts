import { manyWait } from "../findings/waiting.ts";

/** How much weight requests have that wait. The page and the terminal say the same. */
export type WaitingWeight = "none" | "some" | "many";

/** Some from the first request that waits on. */
export function waitingWeight(waiting: number | undefined, slots: number | undefined): WaitingWeight {
  if (manyWait(waiting, slots)) return "many";
  return waiting ? "some" : "none";
}
