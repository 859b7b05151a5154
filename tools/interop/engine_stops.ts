import {
  between,
  columnsText,
  compare,
  distinct,
  exactly,
  type Row,
  type Shown,
  textOf,
} from "./comparison.ts";
import { processesOf, SHAPE } from "./engine.ts";
import { AT_ONCE, EngineLoad } from "./engine_load.ts";
import { type Process, signalAll } from "./engine_processes.ts";
import { quantitiesOf } from "./engine_quantities.ts";
import { agreementRows, secondsOf, secondsText } from "./engine_seconds.ts";
import { type Sample, samplesOf, SECONDS, secondsUntil, type Watched } from "./engine_watch.ts";
import { pause } from "./patience.ts";
import { numbersOf, RANK_SERIES, SERIES } from "./shown.ts";
import { PAGE_AGE_MS } from "./watched_page.ts";

const WORKERS_STOPPED_MS = 20_000;
const CORE_STOPPED_MS = 16_000;
const EVERY_MS = 500;
/** What the log and `/readyz` say of a stuck worker. */
const STUCK = "no forward pass";
/** How much later than it must our page may say a thing, and stop saying it. */
const LATE_SECONDS = { stuck: 3, silent: 2, over: 3 } as const;
/** How old the last pass or heartbeat may be when a process stops, on a busy machine. */
const LAST_HEARD_SECONDS = 2;

/** What was seen while processes of the engine were stopped, and after that. */
interface Stop {
  readonly stoppedMs: number;
  readonly wentOnMs: number;
  /** Of the time in which they were stopped. */
  readonly samples: readonly Sample[];
  /** From then on, until all was well or the time was over. */
  readonly after: readonly Sample[];
}

/** The processes that compute stop, as if the device hung: the worker goes on speaking, but no pass ends. */
export async function compareStoppedWorkers(watched: Watched): Promise<Row[]> {
  const { engine, id, page, watch } = watched;
  const warnings = () =>
    page.log.split("\n").filter((line) => line.includes("WARN") && line.includes(STUCK)).length;
  const stuck = (sample: Sample) => numbersOf(sample.page, SERIES.stuckSeconds, [id])[0];
  const warned = warnings();
  const stop = await stopUnderLoad(watched, {
    processes: await processesOf(engine, "Worker"),
    forMs: WORKERS_STOPPED_MS,
    isOver: (sample) => stuck(sample) === undefined,
  });
  const { samples } = stop;
  const quantities = quantitiesOf(id);
  const seconds = secondsOf(quantities, { samples, readings: watch.readings, ageMs: PAGE_AGE_MS });
  console.log("  workers stopped:");
  console.log(secondsText(quantities, seconds));
  const when = "workers stopped";
  const isStuck = (sample: Sample) => stuck(sample) !== undefined;
  const isNamed = ({ reasons }: Sample) =>
    reasons.some((reason) => reason.includes(id) && reason.includes(STUCK));
  const { stuckAfter } = SECONDS;
  const stuckWithin = [stuckAfter - LAST_HEARD_SECONDS, stuckAfter + LATE_SECONDS.stuck] as const;
  return [
    looksRow(when, stop),
    ...stateRows(when, { watched, samples }),
    inFlightRow(when, { watched, samples }),
    ...agreementRows(when, { quantities, seconds }),
    compare(`${when}: seconds until it is stuck`, [between(...stuckWithin)], [
      secondsUntil(isStuck, { samples, sinceMs: stop.stoppedMs }),
    ]),
    compare(
      `${when}: seconds until /readyz says so`,
      [between(...stuckWithin)],
      [
        secondsUntil(isNamed, { samples, sinceMs: stop.stoppedMs }),
      ],
    ),
    compare(`${when}: stuck for, in the end, in seconds`, [
      between(
        WORKERS_STOPPED_MS / 1_000 - LATE_SECONDS.stuck,
        WORKERS_STOPPED_MS / 1_000 + LAST_HEARD_SECONDS,
      ),
    ], [stuck(samples.at(-1)!)]),
    compare(`${when}: warnings in the log`, [exactly(1)], [warnings() - warned]),
    compare("workers go on: seconds until it is not stuck", [between(0, LATE_SECONDS.over)], [
      samples.some(isStuck)
        ? secondsUntil((sample) => !isStuck(sample), { samples: stop.after, sinceMs: stop.wentOnMs })
        : undefined,
    ]),
  ];
}

/** All of one rank stops. Its heartbeats end; the worker's page and the other rank go on speaking. */
export async function compareStoppedCore(watched: Watched): Promise<Row[]> {
  const { engine, id } = watched;
  const rank = SHAPE.ranks - 1;
  const silent = (sample: Sample, rank: number) =>
    sample.page.value(RANK_SERIES.isSilent, { worker_id: id, dp_rank: `${rank}` });
  const number = (sample: Sample, series: string) => numbersOf(sample.page, series, [id])[0];
  const isWhole = (sample: Sample) =>
    silent(sample, rank) === 0 && number(sample, SERIES.ranksHeard) === SHAPE.ranks;
  const stop = await stopUnderLoad(watched, {
    processes: (await processesOf(engine, "EngineCore")).filter(({ title }) => title.endsWith(`_DP${rank}`)),
    forMs: CORE_STOPPED_MS,
    isOver: isWhole,
  });
  const { samples } = stop;
  console.log(`  core of rank ${rank} stopped:`);
  console.log(columnsText([
    ["s", "state", "silent, rank 0", `silent, rank ${rank}`, "ranks heard", "in flight"],
    ...samples.map((sample) => [
      ((sample.fromMs - stop.stoppedMs) / 1_000).toFixed(1),
      ...[sample.page.states()[id], silent(sample, 0), silent(sample, rank)].map(textOf),
      ...[number(sample, SERIES.ranksHeard), number(sample, SERIES.inFlight)].map(textOf),
    ]),
  ]));
  const isSilent = (sample: Sample) => silent(sample, rank) === 1;
  const whileSilent = samples.filter(isSilent);
  const { staleAfter } = SECONDS;
  const when = `core of rank ${rank} stopped`;
  return [
    looksRow(when, stop),
    ...stateRows(when, { watched, samples }),
    inFlightRow(when, { watched, samples }),
    compare(
      `${when}: seconds until the rank is silent`,
      [between(staleAfter - LAST_HEARD_SECONDS, staleAfter + LATE_SECONDS.silent)],
      [secondsUntil(isSilent, { samples, sinceMs: stop.stoppedMs })],
    ),
    compare(`${when}: silent, rank 0`, [exactly("0")], [distinct(samples.map((each) => silent(each, 0)))]),
    compare(`${when}: ranks expected`, [exactly(`${SHAPE.ranks}`)], [
      distinct(samples.map((each) => number(each, SERIES.ranksExpected))),
    ]),
    compare(`${when}: ranks heard while it is silent`, [exactly(`${SHAPE.ranks - 1}`)], [
      distinct(whileSilent.map((each) => number(each, SERIES.ranksHeard))),
    ]),
    compare("core goes on: seconds until all ranks are heard", [between(0, LATE_SECONDS.over)], [
      secondsUntil(isWhole, { samples: stop.after, sinceMs: stop.wentOnMs }),
    ]),
  ];
}

/** Sends requests, stops the processes when some run, and lets them go on after the time. */
async function stopUnderLoad(
  { engine, page, watch, signal }: Watched,
  { processes, forMs, isOver }: {
    readonly processes: readonly Process[];
    readonly forMs: number;
    readonly isOver: (sample: Sample) => boolean;
  },
): Promise<Stop> {
  await using load = new EngineLoad(engine.frontend, { count: AT_ONCE, signal });
  await watch.until(
    "running requests on each rank",
    ({ ranks }) => ranks.every(({ running }) => running > 0),
    {
      withinMs: 60_000,
      signal,
    },
  );
  await pause(PAGE_AGE_MS + 1_000, signal);
  let stop: Pick<Stop, "stoppedMs" | "wentOnMs" | "samples">;
  {
    using _goOn = { [Symbol.dispose]: () => signalAll(processes, "SIGCONT") };
    const stoppedMs = performance.now();
    signalAll(processes, "SIGSTOP");
    const samples = await samplesOf(page, {
      everyMs: EVERY_MS,
      isEnough: () => performance.now() > stoppedMs + forMs,
      signal,
    });
    stop = { stoppedMs, samples, wentOnMs: performance.now() };
  }
  const after = await samplesOf(page, {
    everyMs: EVERY_MS / 2,
    isEnough: (samples) => isOver(samples.at(-1)!) || performance.now() > stop.wentOnMs + 10_000,
    signal,
  });
  await load.end();
  console.log(`  ${load.answers} requests were answered, ${load.failures} failed`);
  return { ...stop, after };
}

function stateRows(
  when: string,
  { watched: { id }, samples }: { readonly watched: Watched; readonly samples: readonly Sample[] },
): Row[] {
  return [
    compare(`${when}: state`, [exactly("responding")], [
      distinct(samples.map(({ page }) => page.states()[id])),
    ]),
  ];
}

/** What happened between two looks at our page that lie far apart nobody knows: the machine was too busy. */
function looksRow(when: string, { samples, after }: Stop): Row {
  const all = [...samples, ...after];
  const gaps = all.map(({ toMs }, n) => n === 0 ? 0 : toMs - all[n - 1]!.toMs);
  const longest = Math.round(Math.max(...gaps) / 100) / 10;
  return compare(`${when}: longest time between two looks, in seconds`, [between(0, 2)], [longest]);
}

/** The least and the greatest of all samples. */
function inFlightRow(
  when: string,
  { watched: { id }, samples }: { readonly watched: Watched; readonly samples: readonly Sample[] },
): Row {
  const shown = samples.map(({ page }) => numbersOf(page, SERIES.inFlight, [id])[0]);
  const numbers = shown.filter((value) => typeof value === "number");
  const ends: Shown[] = numbers.length < shown.length
    ? [undefined, undefined]
    : [Math.min(...numbers), Math.max(...numbers)];
  return compare(`${when}: in flight, least and greatest`, ends.map(() => between(1, AT_ONCE)), ends);
}
