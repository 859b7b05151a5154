import type { Inspector } from "../../tools/inspector.ts";

/** How long the event loop kept others waiting. */
export interface LoopDelays {
  /** Parts of the time, 0 to 1, in which somebody who came then waited longer than 10 and 20 ms. */
  readonly waited: { readonly over10Ms: number; readonly over20Ms: number };
  /** Of all turns of a timer of 1 ms, the part that was over 20 ms late. */
  readonly late: number;
  /** The longest blocks, the longest first. */
  readonly longestMs: readonly number[];
  readonly seconds: number;
}

/**
 * Runs in the program: a timer of 1 ms takes note of how late each turn is. Somebody who comes while the loop is blocked
 * waits for what is left of the block, so a block of B ms has B - T ms in which one waits longer than T.
 */
const SAMPLER = `
  globalThis.benchLoop = (() => {
    const longest = [];
    const state = { turns: 0, lateTurns: 0, over10: 0, over20: 0, startMs: performance.now() };
    let lastMs = performance.now();
    state.timer = setInterval(() => {
      const now = performance.now();
      const delay = now - lastMs - 1;
      lastMs = now;
      state.turns++;
      if (delay > 20) state.lateTurns++;
      if (delay > 10) state.over10 += delay - 10;
      if (delay > 20) state.over20 += delay - 20;
      if (longest.length < 5 || delay > longest[4]) {
        longest.push(delay);
        longest.sort((a, b) => b - a);
        longest.length = Math.min(longest.length, 5);
      }
    }, 1);
    state.longest = longest;
    return state;
  })(), 0`;

const END = `(() => {
  const { timer, turns, lateTurns, over10, over20, startMs, longest } = globalThis.benchLoop;
  clearInterval(timer);
  delete globalThis.benchLoop;
  return { turns, lateTurns, over10, over20, longest, ms: performance.now() - startMs };
})()`;

/** Begins to watch a program's event loop; the result ends it and tells. The program itself is as it is for users. */
export async function watchLoop(inspector: Inspector): Promise<() => Promise<LoopDelays>> {
  await inspector.evaluate(SAMPLER);
  return async () => {
    const seen = await inspector.evaluate(END) as {
      turns: number;
      lateTurns: number;
      over10: number;
      over20: number;
      longest: number[];
      ms: number;
    };
    return {
      waited: { over10Ms: seen.over10 / seen.ms, over20Ms: seen.over20 / seen.ms },
      late: seen.lateTurns / seen.turns,
      longestMs: seen.longest,
      seconds: seen.ms / 1_000,
    };
  };
}
