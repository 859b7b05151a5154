import { sleep } from "../../lib/timing.ts";
import { isRight, type Row } from "./comparison.ts";

/** Looks again until all is as it should be, or the time is over; the last look counts. An abort rejects. */
export async function settle(
  look: () => Promise<readonly Row[]>,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<readonly Row[]> {
  const endMs = performance.now() + withinMs;
  while (true) {
    const rows = await look();
    if (rows.every(isRight) || performance.now() > endMs) return rows;
    await pause(300, signal);
  }
}

/** Asks again until there is a value. @throws naming `what` when the time is over; an abort rejects */
export async function sought<Value>(
  what: string,
  ask: () => Value | undefined | Promise<Value | undefined>,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<Value> {
  const endMs = performance.now() + withinMs;
  while (true) {
    const value = await ask();
    if (value !== undefined) return value;
    if (performance.now() > endMs) throw new Error(`${what}: not within ${withinMs / 1_000} s`);
    await pause(200, signal);
  }
}

/** An abort rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, { signal });
  signal.throwIfAborted();
}
