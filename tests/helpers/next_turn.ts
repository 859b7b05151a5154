import { setImmediate } from "node:timers";

/** Waits until what was ready at the same time has had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
