import { INSPECTABLE, Inspector } from "../../tools/inspector.ts";
import { originalProgram } from "../../tools/parity/original.ts";
import { Program } from "../../tools/program.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { Child } from "../child.ts";
import type { FleetReport } from "../fleet/main.ts";
import { type Measure, ratios, type RowResult } from "../measure.ts";
import { cpuMs, CpuShares } from "../probes/cpu.ts";
import { profiled, profileText, type TurnedProfile } from "../probes/profile.ts";
import { running, type RunningMetrics, sample, shows, startOwn, TARGET_FLAGS } from "../programs/metrics.ts";
import type { Row } from "../row.ts";
import { pause, Scraping } from "../scraping.ts";

const WORKERS = 1_000;
/** The original reads flat records only. */
const RELEASE = "0.1.1";

/**
 * CPU time of a round at 1,000 workers beside the original: both poll the same fleet once a second, with the same
 * scrapes at the same time.
 */
export const ROUND_CPU: Row = {
  name: "round_cpu",
  what: "CPU time of a round at 1,000 workers, beside the original",
  run: async ({ quick, say }) => {
    const original = await originalProgram("0.1.1", "metrics").catch((error: Error) => error);
    if (original instanceof Error) return withoutOriginal(original);
    await using nats = await startNats();
    await using etcd = await startEtcd();
    await using fleet = new Child("fleet/main.ts", { nats: nats.url, workers: WORKERS, release: RELEASE });
    await fleet.ask();
    const env = { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url };
    await using own = await startOwn({ env });
    const [port = 0] = freePorts(1);
    await using theirs = await running(
      new Program({
        command: original.path,
        args: [...TARGET_FLAGS, "--port", String(port)],
        env: { ...env, ...original.env, DYN_SDK_DISABLE_ANSI_LOGGING: "1" },
      }),
    );
    await Promise.all([shows(own.url, WORKERS), shows(theirs.url, WORKERS)]);
    say("warming up");
    await pause(quick ? 4_000 : 60_000);
    const shares = new CpuShares({
      "program": own.program.pid,
      "original": theirs.program.pid,
      "nats-server": nats.pid,
      "fleet": fleet.pid,
      "bench": Deno.pid,
    });
    const measures: Measure[] = [];
    for (const scraped of [false, true]) {
      const windows = await measure({ own, theirs, fleet }, { scraped, quick });
      measures.push(...toMeasures(windows, scraped ? "scraped" : "unread"));
      say(`${scraped ? "with" : "without"} a scrape a second: ${windows.length} windows`);
    }
    const cpu = shares.percent();
    const profile = await profileOwn(env, { quick });
    return {
      measures,
      cpu,
      remarks: [
        `original metrics 0.1.1, SHA-256 ${original.sha256.slice(0, 12)}…; its page has 5 series a worker`,
      ],
      profile: profileText(profile),
    };
  },
};

/** Of another process, so that the one that is compared has no inspector. */
async function profileOwn(
  env: Readonly<Record<string, string>>,
  { quick }: { quick: boolean },
): Promise<TurnedProfile> {
  await using own = await startOwn({ env, denoFlags: [INSPECTABLE] });
  using inspector = await Inspector.of(own.program);
  await shows(own.url, WORKERS);
  await pause(quick ? 1_000 : 60_000);
  return await profiled(inspector, () => pause(quick ? 2_000 : 30_000));
}

/** CPU time of a round in one window, of both. */
interface Window {
  readonly ownMs: number;
  readonly theirsMs: number;
}

async function measure(
  { own, theirs, fleet }: { own: RunningMetrics; theirs: RunningMetrics; fleet: Child },
  { scraped, quick }: { scraped: boolean; quick: boolean },
): Promise<Window[]> {
  await using _ = scraped
    ? new Scraping([{ url: own.url, gzip: false }, { url: theirs.url, gzip: false }])
    : undefined;
  await pause(1_000);
  const counts = async () => ({
    rounds: await sample(own.url, "dynamo_metrics_rounds_total"),
    questions: (await fleet.ask<FleetReport>()).questions,
  });
  const cpu = () => ({ own: cpuMs(own.program.pid), theirs: cpuMs(theirs.program.pid) });
  const windows: Window[] = [];
  for (let n = 0; n < (quick ? 1 : 4); n++) {
    const [countsBefore, cpuBefore] = [await counts(), cpu()];
    await pause(quick ? 5_000 : 30_000);
    const [cpuAfter, countsAfter] = [cpu(), await counts()]; // Counting takes a page, which is not of the window.
    const rounds = countsAfter.rounds - countsBefore.rounds;
    windows.push({
      ownMs: (cpuAfter.own - cpuBefore.own) / rounds,
      theirsMs: (cpuAfter.theirs - cpuBefore.theirs) /
        (countsAfter.questions - countsBefore.questions - rounds),
    });
  }
  return windows;
}

function toMeasures(windows: readonly Window[], what: string): Measure[] {
  const own = windows.map(({ ownMs }) => ownMs);
  const theirs = windows.map(({ theirsMs }) => theirsMs);
  return [
    { name: `round_cpu/${what}/ratio`, unit: "ratio", values: ratios(own, theirs) },
    { name: `round_cpu/${what}/own`, unit: "ms", values: own },
    { name: `round_cpu/${what}/original`, unit: "ms", values: theirs },
  ];
}

function withoutOriginal(error: Error): RowResult {
  const measures = ["unread", "scraped"].map((what) => (
    { name: `round_cpu/${what}/ratio`, unit: "ratio", values: [], missing: error.message } as const
  ));
  return { measures, cpu: {}, remarks: [] };
}
