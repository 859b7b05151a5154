import type { Page } from "playwright-core";
import { Browser } from "../../tools/browser.ts";
import { INSPECTABLE, Inspector } from "../../tools/inspector.ts";
import type { Measure } from "../measure.ts";
import { type PageTask, tracedTasks } from "../probes/page_tasks.ts";
import { profiled, profileText } from "../probes/profile.ts";
import { watch } from "../probes/watch.ts";
import { Deployment } from "../programs/deployment.ts";
import type { Row } from "../row.ts";
import { pause, Scraping } from "../scraping.ts";
import { StreamReader } from "../stream_reader.ts";

const WORKERS = 10_000;

/**
 * 10,000 workers of which all change at each 1 s poll, one plain and one packed scrape a second, the live page open in
 * Chromium and one more reader of the stream: how long the page keeps its user waiting, and what the program is like meanwhile.
 */
export const LIVE: Row = {
  name: "live",
  what: "10,000 workers with a live page and a stream open: longest task of the page, the program meanwhile",
  run: async ({ quick, say }) => {
    await using deployment = await Deployment.start({ workers: WORKERS, denoFlags: [INSPECTABLE] });
    const { url, program } = deployment.own;
    using inspector = await Inspector.of(program);
    await using _scraping = new Scraping([{ url, gzip: false }, { url, gzip: true }]);
    await using stream = await StreamReader.open(new URL("/api/v1/stream", url).href);
    await using browser = await Browser.open();
    const page = await browser.page("about:blank");
    const opening = await tracedTasks(page, async () => {
      await page.goto(new URL("/", url).href);
      await page.getByRole("heading", { name: "10,000 workers" }).waitFor();
    });
    await pause(quick ? 2_000 : 10_000);

    const ms = quick ? 6_000 : 180_000;
    const told = async () => ({ seq: await seqOf(page), bytes: stream.bytes });
    const before = await told();
    const watching = watch("live/program", deployment.pids, { inspector, ms });
    const after = watching.then(told);
    const tasks = await tracedTasks(page, () => after);
    const snapshots = (await after).seq - before.seq;
    if (snapshots === 0) throw new Error("the page was not told of any Snapshot");
    const { measures, cpu, said } = await watching;
    const profile = await profiled(inspector, () => pause(quick ? 1_000 : 20_000));
    const [longest] = tasks as [PageTask];
    say(`longest task ${msText(longest.ms)}; the program: ${said}`);
    return {
      measures: [
        ...taskMeasures("live/page", tasks),
        ...taskMeasures("live/opening", opening),
        { name: "live/snapshots", unit: "per second", values: [1_000 * snapshots / ms] },
        { name: "live/message", unit: "bytes", values: [((await after).bytes - before.bytes) / snapshots] },
        ...measures,
      ],
      cpu,
      profile: profileText(profile),
      remarks: [
        "Chromium draws without a graphics card, and shares the cores with all that is named above",
        `of its longest task of ${msText(longest.ms)} the page ran for ${
          msText(longest.cpuMs)
        }, and waited for a core`,
      ],
    };
  },
};

function taskMeasures(at: string, tasks: readonly PageTask[]): Measure[] {
  const longest = (of: (task: PageTask) => number) => [Math.max(...tasks.map(of))];
  return [
    { name: `${at}/longest_task`, unit: "ms", values: longest(({ ms }) => ms) },
    { name: `${at}/longest_task_cpu`, unit: "ms", values: longest(({ cpuMs }) => cpuMs) },
  ];
}

function msText(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

/** Which Snapshot the page shows. */
async function seqOf(page: Page): Promise<number> {
  const text = await page.getByText(/^Snapshot \d+$/).textContent();
  return Number(text?.slice("Snapshot ".length));
}
