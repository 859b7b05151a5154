import type { Inspector } from "../../tools/inspector.ts";
import type { Measure } from "../measure.ts";
import { pause } from "../scraping.ts";
import { CpuShares, residentMib } from "./cpu.ts";
import { type LoopDelays, watchLoop } from "./loop_delay.ts";

/** What a program was like for some time. */
export interface Watched {
  /** CPU, event loop and memory of the program. */
  readonly measures: readonly Measure[];
  /** Which part of a core each took, in percent. */
  readonly cpu: Readonly<Record<string, number>>;
  /** The worst of it, for the person who waits. */
  readonly said: string;
}

const WEIGH_MS = 500;

/**
 * Watches a program for so long.
 * @param at where its measures are found
 * @param pids of `program`, and of what else shares the cores
 */
export async function watch(
  at: string,
  pids: Readonly<Record<string, number>>,
  { inspector, ms }: { readonly inspector: Inspector; readonly ms: number },
): Promise<Watched> {
  const shares = new CpuShares(pids);
  const rss: number[] = [];
  const weighing = setInterval(() => rss.push(residentMib(pids.program!)), WEIGH_MS);
  const endWatch = await watchLoop(inspector);
  await pause(ms);
  const delays = await endWatch();
  clearInterval(weighing);
  const cpu = shares.percent();
  const highest = Math.max(...rss);
  return {
    measures: [
      { name: `${at}/cpu`, unit: "%", values: [cpu.program!] },
      ...loopMeasures(at, delays),
      { name: `${at}/rss_highest`, unit: "MiB", values: [highest] },
      { name: `${at}/rss`, unit: "MiB", values: thinned(rss) },
    ],
    cpu,
    said: `longest block ${delays.longestMs[0]!.toFixed(1)} ms, ${highest.toFixed(0)} MiB`,
  };
}

function loopMeasures(at: string, { waited, late, longestMs }: LoopDelays): Measure[] {
  return [
    { name: `${at}/loop_free_20ms`, unit: "%", values: [100 * (1 - waited.over20Ms)] },
    { name: `${at}/loop_free_10ms`, unit: "%", values: [100 * (1 - waited.over10Ms)] },
    { name: `${at}/turns_in_20ms`, unit: "%", values: [100 * (1 - late)] },
    { name: `${at}/longest_block`, unit: "ms", values: longestMs.slice(0, 1) },
  ];
}

/** At most a hundred of them, evenly. */
function thinned(values: readonly number[]): number[] {
  const step = Math.max(1, Math.ceil(values.length / 100));
  return values.filter((_, n) => n % step === 0).map((value) => Number(value.toFixed(1)));
}
