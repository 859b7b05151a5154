import { INSPECTABLE, Inspector } from "../../tools/inspector.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { Child } from "../child.ts";
import type { Measure, RowResult } from "../measure.ts";
import { CpuShares, residentMib } from "../probes/cpu.ts";
import { type LoopDelays, watchLoop } from "../probes/loop_delay.ts";
import { type Piece, pieces, profiled, profileText, type TurnedProfile } from "../probes/profile.ts";
import { shows, startOwn } from "../programs/metrics.ts";
import type { Row, RowContext } from "../row.ts";
import { pause, Scraping } from "../scraping.ts";

const RELEASE = "0.6.0";
const SIZES = [1_000, 10_000];
const MINUTE_MS = 60_000;

/**
 * Ten minutes of 1 s polls with one plain and one packed scrape a second: how long the event loop keeps others waiting,
 * how much memory it takes, and after that, in a CPU profile, which pieces of work are the longest.
 */
export const ENDURANCE: Row = {
  name: "endurance",
  what: "ten minutes: blocks of the event loop, memory, longest pieces of work",
  run: async (context) => {
    const results = [];
    for (const workers of SIZES) results.push(await measure(workers, context));
    return {
      measures: results.flatMap(({ measures }) => measures),
      cpu: results.at(-1)!.cpu,
      remarks: ["V8's inspector is open meanwhile, which takes about 4 MiB and no time"],
      profile: results.at(-1)!.profile ?? [],
    };
  },
};

async function measure(workers: number, { quick, say }: RowContext): Promise<RowResult> {
  await using nats = await startNats();
  await using fleet = new Child("fleet/main.ts", { nats: nats.url, workers, release: RELEASE });
  await fleet.ask();
  await using own = await startOwn({
    env: { NATS_SERVER: nats.url },
    args: ["--no-etcd"],
    denoFlags: [INSPECTABLE],
  });
  using inspector = await Inspector.of(own.program);
  await shows(own.url, workers);
  await using _ = new Scraping([{ url: own.url, gzip: false }, { url: own.url, gzip: true }]);
  await pause(quick ? 2_000 : 10_000);

  const { pid } = own.program;
  const shares = new CpuShares({
    "program": pid,
    "nats-server": nats.pid,
    "fleet": fleet.pid,
    "bench": Deno.pid,
  });
  const rss: number[] = [];
  const weighing = setInterval(() => rss.push(residentMib(pid)), 500);
  const endWatch = await watchLoop(inspector);
  await pause(quick ? (workers === 10_000 ? 20_000 : 4_000) : 10 * MINUTE_MS);
  const delays = await endWatch();
  clearInterval(weighing);
  const cpu = shares.percent();
  say(
    `${workers} workers: longest block ${delays.longestMs[0]!.toFixed(1)} ms, ${
      Math.max(...rss).toFixed(0)
    } MiB`,
  );

  const profile = await profiled(inspector, () => pause(quick ? 3_000 : 30_000));
  return {
    measures: [
      { name: `endurance/${workers}/cpu`, unit: "%", values: [cpu.program!] },
      ...loopMeasures(workers, delays),
      ...memoryMeasures(workers, rss),
      ...pieceMeasures(workers, profile),
    ],
    cpu,
    remarks: [],
    profile: profileText(profile),
  };
}

function loopMeasures(workers: number, { waited, late, longestMs }: LoopDelays): Measure[] {
  const at = (what: string) => `endurance/${workers}/${what}`;
  return [
    { name: at("loop_free_20ms"), unit: "%", values: [100 * (1 - waited.over20Ms)] },
    { name: at("loop_free_10ms"), unit: "%", values: [100 * (1 - waited.over10Ms)] },
    { name: at("turns_in_20ms"), unit: "%", values: [100 * (1 - late)] },
    { name: at("longest_block"), unit: "ms", values: longestMs.slice(0, 1) },
  ];
}

function memoryMeasures(workers: number, rss: readonly number[]): Measure[] {
  return [
    { name: `endurance/${workers}/rss_highest`, unit: "MiB", values: [Math.max(...rss)] },
    { name: `endurance/${workers}/rss`, unit: "MiB", values: thinned(rss) },
  ];
}

function pieceMeasures(workers: number, profile: TurnedProfile): Measure[] {
  const found = pieces(profile);
  const longest = (of: (piece: Piece) => number) => [Math.max(...found.map(of))];
  return [
    {
      name: `endurance/${workers}/longest_piece`,
      unit: "ms",
      values: longest(({ ms, garbageMs }) => ms - garbageMs),
    },
    { name: `endurance/${workers}/longest_piece_and_garbage`, unit: "ms", values: longest(({ ms }) => ms) },
  ];
}

/** At most a hundred of them, evenly. */
function thinned(values: readonly number[]): number[] {
  const step = Math.max(1, Math.ceil(values.length / 100));
  return values.filter((_, n) => n % step === 0).map((value) => Number(value.toFixed(1)));
}
