import config from "../../deno.json" with { type: "json" };
import type { MetricsSettings } from "../cli/metrics_options.ts";
import { targetPath } from "../dynamo/target.ts";
import { type Encoding, Pages } from "../exposition/pages.ts";
import { TEXT, TEXT_CONTENT_TYPE } from "../exposition/text.ts";
import { degradedReasons } from "../findings/findings.ts";
import type { Snapshot } from "../fleet/snapshot.ts";
import { configureLogging, logger } from "../log.ts";
import { logNewsOfRanks } from "../monitor/rank_news.ts";
import { logNewsOfWorkers } from "../monitor/worker_news.ts";
import { liveness, readiness } from "../output/health_routes.ts";
import { landing } from "../output/landing.ts";
import { metricsRoute } from "../output/metrics_route.ts";
import { publishAggregates } from "../output/publish.ts";
import { deleteGroup, pushRegularly } from "../output/pushgateway.ts";
import { startServer } from "../output/server.ts";
import { Telemetry } from "../telemetry/telemetry.ts";
import { giveWay, systemClock } from "../timing.ts";
import { BindError } from "../transport/bind_error.ts";
import { logEnding } from "./ending.ts";
import { logUnreachablePublishers } from "./finding_log.ts";
import { openWatch } from "./watch.ts";
import { Web } from "./web.ts";

/** Who waits for the program to start gets the first page in this time, before connecting holds it up. */
const FIRST_PAGE_MS = 100;

/**
 * Watches a target until `signal` is aborted; gives the exit code. The page opens first; a server that is not there yet
 * is sought for as long as it takes. Everything closes in the reverse order.
 */
export async function runMetrics(settings: MetricsSettings, signal: AbortSignal): Promise<number> {
  const { target, serve, push, publish, pollIntervalMs } = settings;
  configureLogging(settings.logging);
  const path = targetPath(target);
  const log = logger();
  log.info(`Scraping endpoint ${path} for stats`);
  using _ending = logEnding(signal);

  const build = { version: config.version, revision: settings.revision };
  const telemetry = new Telemetry({ target, build, pushing: push !== undefined, publishing: publish });
  const pages = new Pages({
    snapshot: () => monitor.snapshot,
    counted: () => telemetry.counted(),
    workerLabels: settings.workerLabels,
    pause: giveWay,
  });
  const clock = systemClock;
  const snapshots = {
    get snapshot() {
      return monitor.snapshot;
    },
    subscribe: (listener: (snapshot: Snapshot) => void) => monitor.subscribe(listener),
  };
  const web = serve && settings.web
    ? new Web({ snapshots, clock, pollIntervalMs, version: versionText(build) })
    : undefined;
  const health = () => ({
    alive: monitor.sinceTurnMs < Math.max(10_000, 5 * pollIntervalMs),
    ready: monitor.hasTurned && !signal.aborted,
    reasons: signal.aborted ? ["stopping"] : degradedReasons(monitor.snapshot),
  });

  await using ends = new AsyncDisposableStack();
  if (serve) {
    try {
      const routes = new Map([
        ["/", landing(path, config.version)],
        [
          "/metrics",
          metricsRoute({ lend: (format, encoding) => pages.lend(format, encoding), gzip: serve.gzip }),
        ],
        ["/livez", liveness(health)],
        ["/readyz", readiness(health)],
        ...web?.routes ?? [],
      ]);
      const server = ends.use(startServer({ ...serve, routes }));
      if (web) ends.use(web);
      log.info(`Prometheus metrics server started at ${server.address}/metrics`);
    } catch (error) {
      if (!(error instanceof BindError)) throw error;
      log.error(error.message);
      return 1;
    }
  }
  const name = `metrics ${path}`;
  const { monitor, nats } = openWatch(settings, {
    name,
    recorder: telemetry,
    clock,
    signal,
    connectAfterMs: FIRST_PAGE_MS,
    ends,
  });
  ends.use(logNewsOfWorkers(monitor));
  ends.use(logNewsOfRanks(monitor));
  ends.use(logUnreachablePublishers(monitor));
  if (publish && nats) {
    const onPublish = (...publish: Parameters<Telemetry["publish"]>) => telemetry.publish(...publish);
    ends.use(publishAggregates({ nats, snapshots: monitor, onPublish }));
  }
  const pushed = {
    lend: (encoding: Encoding) => pages.lend(TEXT, encoding),
    contentType: TEXT_CONTENT_TYPE,
  };
  const onPush = (outcome: Parameters<Telemetry["push"]>[0]) => {
    telemetry.push(outcome);
    monitor.renewCounts();
  };
  if (push) {
    if (push.deleteAtEnd) ends.defer(() => deleteGroup(push));
    const { gateway, job, instance } = push;
    log.info(`Started pushing metrics to PushGateway at '${gateway}' with job name '${job}'`, { instance });
  }
  await Promise.all([
    monitor.run(signal),
    web?.run(signal),
    push && pushRegularly({ ...push, ...pushed, clock, signal, onPush }),
  ]);
  return 0;
}

/** `0.4.0+1a2b3c4`; without the revision where that is not known. */
function versionText({ version, revision }: { readonly version: string; readonly revision: string }): string {
  return revision === "unknown" ? version : `${version}+${revision}`;
}
