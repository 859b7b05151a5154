import { FORWARD_PASS_EVENT } from "../../lib/dynamo/forward_pass.ts";
import { INSPECTABLE, Inspector } from "../../tools/inspector.ts";
import { PageReader } from "../../tools/page_reader.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { Child } from "../child.ts";
import type { FleetReport } from "../fleet/main.ts";
import type { PublishersReport } from "../fleet/publishers.ts";
import { registerPublishers, registerWorkers } from "../fleet/registry.ts";
import { fleetWorker } from "../fleet/replies.ts";
import { CpuShares } from "../probes/cpu.ts";
import { profiled, profileText } from "../probes/profile.ts";
import { shows, startOwn } from "../programs/metrics.ts";
import type { Row } from "../row.ts";
import { pause } from "../scraping.ts";

const PUBLISHERS = 1_000;
const PER_SECOND = 80;
/** Workers that answer questions beside, so that there is a round to be late. */
const ANSWERING = 100;

/**
 * CPU of the whole program while 1,000 publishers each send 80 forward-pass events a second over ZMQ, their workers
 * registered in etcd, and 100 other workers answer once a second.
 */
export const FORWARD_PASS: Row = {
  name: "forward_pass",
  what: "forward-pass events of 1,000 publishers × 80/s over ZMQ: CPU, late rounds",
  run: async ({ quick, say }) => {
    await using nats = await startNats();
    await using etcd = await startEtcd();
    await using fleet = new Child("fleet/main.ts", { nats: nats.url, workers: ANSWERING, release: "0.6.0" });
    await using publishers = new Child("fleet/publishers.ts", {
      publishers: PUBLISHERS,
      perSecond: PER_SECOND,
    });
    const { ports } = await publishers.ask<PublishersReport>();
    await registerWorkers(etcd.url, Array.from({ length: ANSWERING }, (_, n) => fleetWorker(n)));
    await registerPublishers(etcd.url, ports);
    say(`${PUBLISHERS} workers are registered`);
    await using own = await startOwn({
      env: { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url },
      denoFlags: [INSPECTABLE],
    });
    using inspector = await Inspector.of(own.program);
    await shows(own.url, PUBLISHERS + ANSWERING);
    await pause(quick ? 2_000 : 30_000);

    const readPage = async () => {
      const page = new PageReader(await (await fetch(own.url)).text());
      return {
        heard: page.value("dynamo_metrics_events_total", { event: FORWARD_PASS_EVENT })!,
        late: page.value("dynamo_metrics_replies_rejected_total", { reason: "late" })!,
        loaded: page.values("llm_requests_active_slots").length,
      };
    };
    const percents: number[] = [];
    await fleet.ask();
    const before = await readPage();
    const sentBefore = await publishers.ask<PublishersReport>();
    const startMs = performance.now();
    const all = new CpuShares({
      "program": own.program.pid,
      "nats-server": nats.pid,
      "etcd": etcd.pid,
      "publishers": publishers.pid,
      "fleet": fleet.pid,
      "bench": Deno.pid,
    });
    for (let n = 0; n < (quick ? 1 : 6); n++) {
      const window = new CpuShares({ program: own.program.pid });
      await pause(quick ? 6_000 : 10_000);
      percents.push(window.percent().program!);
    }
    const cpu = all.percent();
    const { longestGapMs } = await fleet.ask<FleetReport>();
    const seconds = (performance.now() - startMs) / 1_000;
    const [after, sentAfter] = [await readPage(), await publishers.ask<PublishersReport>()];
    const { subscribed, dropped } = sentAfter;
    const profile = await profiled(inspector, () => pause(quick ? 1_500 : 20_000));
    return {
      measures: [
        { name: "forward_pass/cpu", unit: "%", values: percents },
        { name: "forward_pass/heard", unit: "per second", values: [(after.heard - before.heard) / seconds] },
        { name: "forward_pass/late", unit: "count", values: [after.late - before.late] },
        { name: "forward_pass/longest_gap", unit: "ms", values: [longestGapMs] },
      ],
      cpu,
      remarks: [
        `${subscribed} publishers subscribed to, ${after.loaded} workers with load, ` +
        `${((sentAfter.sent - sentBefore.sent) / seconds).toFixed(0)} events sent a second, ` +
        `${dropped - sentBefore.dropped} dropped by publishers`,
      ],
      profile: profileText(profile),
    };
  },
};
