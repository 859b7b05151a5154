import { HIT_RATE_EVENT } from "../../lib/dynamo/hit_rate.ts";
import { INSPECTABLE, Inspector } from "../../tools/inspector.ts";
import { PageReader } from "../../tools/page_reader.ts";
import { Child } from "../child.ts";
import { CpuShares } from "../probes/cpu.ts";
import { profiled, profileText } from "../probes/profile.ts";
import { Deployment } from "../programs/deployment.ts";
import type { Row } from "../row.ts";
import { pause } from "../scraping.ts";

const WORKERS = 10;
/** A little over the goal, so that no turn of a timer decides. */
const PER_SECOND = 31_000;

/** CPU of the whole program while a router publishes hit-rate events of ten workers that are polled once a second. */
export const HIT_RATE: Row = {
  name: "hit_rate",
  what: "kv-hit-rate events, 30,000/s over NATS: CPU",
  run: async ({ quick }) => {
    await using deployment = await Deployment.start({ workers: WORKERS, denoFlags: [INSPECTABLE] });
    const { own, nats } = deployment;
    using inspector = await Inspector.of(own.program);
    const { pid } = own.program;
    const idle = new CpuShares({ program: pid });
    await pause(quick ? 1_000 : 20_000);
    const idlePercent = idle.percent().program!;

    await using router = new Child("fleet/hit_rates.ts", {
      nats: nats.url,
      workers: WORKERS,
      perSecond: PER_SECOND,
    });
    await pause(quick ? 2_000 : 30_000);
    const heard = async () =>
      new PageReader(await (await fetch(own.url)).text())
        .value("dynamo_metrics_events_total", { event: HIT_RATE_EVENT })!;
    const all = new CpuShares({ ...deployment.pids, "router": router.pid });
    const percents: number[] = [];
    const startMs = performance.now();
    const before = await heard();
    for (let n = 0; n < (quick ? 1 : 6); n++) {
      const window = new CpuShares({ program: pid });
      await pause(quick ? 5_000 : 10_000);
      percents.push(window.percent().program!);
    }
    const rate = (await heard() - before) / ((performance.now() - startMs) / 1_000);
    const cpu = all.percent();
    const profile = await profiled(inspector, () => pause(quick ? 1_000 : 10_000));
    return {
      measures: [
        { name: "hit_rate/cpu", unit: "%", values: percents },
        { name: "hit_rate/cpu_without_events", unit: "%", values: [idlePercent] },
        { name: "hit_rate/heard", unit: "per second", values: [rate] },
      ],
      cpu,
      remarks: [],
      profile: profileText(profile),
    };
  },
};
