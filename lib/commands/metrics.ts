import config from "../../deno.json" with { type: "json" };
import type { MetricsSettings } from "../cli/metrics_options.ts";
import { targetPath } from "../dynamo/target.ts";
import { type Encoding, Pages } from "../exposition/pages.ts";
import { TEXT, TEXT_CONTENT_TYPE } from "../exposition/text.ts";
import { degradedReasons, emptyTargets } from "../findings/findings.ts";
import { configureLogging, logger } from "../log.ts";
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
import { openWatch } from "./watch.ts";
import { Web } from "./web.ts";

/**
 * Watches a target until `signal` is aborted; gives the exit code. A server that is not there yet is sought for as long as it
 * takes. Everything closes in the reverse order.
 */
export async function runMetrics(settings: MetricsSettings, signal: AbortSignal): Promise<number> {
  const { target, serve, push, publish, pollIntervalMs } = settings;
  configureLogging(settings.logging);
  const path = targetPath(target);
  const log = logger();
  log.info(`Scraping endpoint ${path} for stats`);
  using _ending = logEnding(signal);

  const build = { version: config.version, revision: settings.revision };
  const clock = systemClock;
  const telemetry = new Telemetry({
    targets: [target],
    build,
    pushing: push !== undefined,
    publishing: publish,
  });
  await using ends = new AsyncDisposableStack();
  const watch = { name: `metrics ${path}`, recorder: telemetry, clock, signal, ends };
  const { deployment, nats } = openWatch(settings, watch);
  const pages = new Pages({
    snapshot: () => deployment.snapshot,
    counted: () => telemetry.counted(),
    workerLabels: settings.workerLabels,
    pause: giveWay,
  });
  const web = serve && settings.web
    ? new Web({ snapshots: deployment, clock, pollIntervalMs, version: versionText(build) })
    : undefined;
  const health = () => ({
    alive: deployment.sinceTurnMs < Math.max(10_000, 5 * pollIntervalMs),
    ready: deployment.hasTurned && !signal.aborted,
    reasons: signal.aborted ? ["stopping"] : degradedReasons(deployment.snapshot),
    notes: signal.aborted ? [] : emptyTargets(deployment.snapshot),
  });
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
      if (web) ends.use(web); // Streams end before the server does.
      log.info(`Prometheus metrics server started at ${server.address}/metrics`);
    } catch (error) {
      if (!(error instanceof BindError)) throw error;
      log.error(error.message);
      return 1;
    }
  }
  if (publish && nats) {
    const onPublish = (...published: Parameters<Telemetry["publish"]>) => telemetry.publish(...published);
    ends.use(publishAggregates({ nats, snapshots: deployment, onPublish }));
  }
  const pushed = {
    lend: (encoding: Encoding) => pages.lend(TEXT, encoding),
    contentType: TEXT_CONTENT_TYPE,
  };
  const onPush = (outcome: Parameters<Telemetry["push"]>[0]) => {
    telemetry.push(outcome);
    deployment.renewCounts();
  };
  if (push) {
    if (push.deleteAtEnd) ends.defer(() => deleteGroup(push));
    const { gateway, job, instance } = push;
    log.info(`Started pushing metrics to PushGateway at '${gateway}' with job name '${job}'`, { instance });
  }
  await Promise.all([
    deployment.run(signal),
    web?.run(signal),
    push && pushRegularly({ ...push, ...pushed, clock, signal, onPush }),
  ]);
  return 0;
}

/** `0.4.0+1a2b3c4`; without the revision where that is not known. */
function versionText({ version, revision }: { readonly version: string; readonly revision: string }): string {
  return revision === "unknown" ? version : `${version}+${revision}`;
}
