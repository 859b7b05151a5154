import { isIP } from "node:net";
import { WORKER_LABELS, type WorkerLabels } from "../exposition/family.ts";
import type { LogOptions } from "../log.ts";
import { groupUrl, type PushMethod } from "../output/push_group.ts";
import type { PushProxy } from "../output/push_proxy.ts";
import { SECRETS_NOTE } from "./credentials.ts";
import { HTTP_URL_RULE, httpUrl } from "./http_url.ts";
import { LOGGING_NOTES, readLogging } from "./logging.ts";
import { proxyOf } from "./proxies.ts";
import { INTERVAL_RULE, intervalMs } from "./seconds.ts";
import {
  type Flag,
  type Invocation,
  readFlags,
  type Shown,
  type Usage,
  UsageError,
  wholeNumber,
} from "./usage.ts";
import { readWatch, SOURCE_FLAGS, TARGET_FLAGS, type WatchSettings } from "./watch_options.ts";

/** What `metrics` was started to do. */
export interface MetricsSettings extends WatchSettings {
  /** Where the page is served; undefined when it is only pushed. */
  readonly serve: { readonly host: string; readonly port: number; readonly gzip: boolean } | undefined;
  /** Whether the live page and its API are served too. */
  readonly web: boolean;
  readonly push: PushSettings | undefined;
  readonly workerLabels: WorkerLabels;
  readonly publish: boolean;
  /** The commit that a built executable was made of. */
  readonly revision: string;
  readonly logging: LogOptions;
}

export interface PushSettings {
  /** The Pushgateway's address, for people, and the group's at it. */
  readonly gateway: string;
  readonly url: URL;
  readonly job: string;
  readonly instance: string;
  readonly intervalMs: number;
  readonly method: PushMethod;
  readonly proxy: PushProxy | undefined;
  /** Whether the group is deleted at the end: it is ours alone, and nobody asked to keep it. */
  readonly deleteAtEnd: boolean;
}

const HOST: Flag = {
  name: "--host",
  value: "HOST",
  rule: "an IPv4 or IPv6 address such as 0.0.0.0 or ::1",
  help: "Address to serve the page on; with --push where the Pushgateway is, names allowed",
  defaultText: "0.0.0.0",
};
const PORT: Flag = {
  name: "--port",
  value: "PORT",
  rule: "a whole number from 0 to 65535",
  help: "Port to serve the page on, 0 for a free one; with --push the Pushgateway's",
  defaultText: "9091",
};
const NO_WEB: Flag = { name: "--no-web", help: "Serve neither the live page at / nor /api/v1" };
const NO_GZIP: Flag = { name: "--no-gzip", help: "Serve the page uncompressed to those who take gzip too" };
const WORKER_LABELS_FLAG: Flag = {
  name: "--worker-labels",
  value: "full|none",
  rule: "full or none",
  help: "none bounds the number of series: sums by target in the place of each worker's own",
  defaultText: "full",
};
const PUSH: Flag = { name: "--push", help: "Push the page to a Pushgateway instead of serving it" };
const PUSH_INTERVAL: Flag = {
  name: "--push-interval",
  value: "SECONDS",
  rule: INTERVAL_RULE,
  help: "How often the page is pushed",
  defaultText: "2",
};
const PUSH_URL: Flag = {
  name: "--push-url",
  value: "URL",
  rule: HTTP_URL_RULE,
  help: "The Pushgateway's address; without --push the page is served and pushed",
};
const PUSH_JOB: Flag = {
  name: "--push-job",
  value: "NAME",
  rule: "not empty",
  help: "The pushed group's job",
  defaultText: "dynamo_metrics",
};
const PUSH_INSTANCE: Flag = {
  name: "--push-instance",
  value: "NAME",
  rule: "any text, '' for none",
  help: "The pushed group's instance, '' for none",
  defaultText: "<hostname>/<namespace>/<component>/<endpoint>",
};
const PUSH_METHOD: Flag = {
  name: "--push-method",
  value: "put|post",
  rule: "put or post",
  help: "put replaces the whole group, post only metrics of the same name",
  defaultText: "put",
};
const PUSH_KEEP: Flag = { name: "--push-keep", help: "Leave the pushed group at the Pushgateway at the end" };
const NO_PUBLISH: Flag = { name: "--no-publish", help: "Do not republish the aggregate on NATS" };

const USAGE: Usage = {
  program: "metrics",
  about: "shows what every worker of an NVIDIA Dynamo deployment is doing, as Prometheus metrics.",
  examples: [
    "metrics --component VllmWorker --endpoint load_metrics",
    "metrics --endpoint dyn://dynamo.backend.generate",
    "metrics --component my_component --endpoint my_endpoint --host 127.0.0.1 --port 0",
    "metrics --component VllmWorker --endpoint load_metrics --push --host pushgateway --port 9091",
    "metrics --component VllmWorker --endpoint load_metrics --push-url https://gateway.example/push",
  ],
  flags: [
    ...TARGET_FLAGS,
    HOST,
    PORT,
    NO_WEB,
    NO_GZIP,
    WORKER_LABELS_FLAG,
    PUSH,
    PUSH_INTERVAL,
    PUSH_URL,
    PUSH_JOB,
    PUSH_INSTANCE,
    PUSH_METHOD,
    PUSH_KEEP,
    NO_PUBLISH,
    ...SOURCE_FLAGS,
  ],
  commands: ["top"],
  notes:
    `metrics top shows the same live in a terminal: see metrics top --help.\n${SECRETS_NOTE}\n${LOGGING_NOTES}`,
};

/** @throws {UsageError} */
export function parseMetricsOptions(
  invocation: Invocation & { readonly terminal: boolean; readonly hostname: string },
): MetricsSettings | Shown {
  const flags = readFlags(USAGE, invocation);
  if ("shown" in flags) return flags;
  const watch = readWatch(flags, invocation.env);
  const pushOnly = flags.has(PUSH);
  const host = flags.value(
    pushOnly ? { ...HOST, rule: "a host name or an address" } : HOST,
    (text) => (pushOnly ? isHostName(text) : isAddress(text)) ? text : undefined,
  ) ?? HOST.defaultText!;
  const pushUrl = flags.value(PUSH_URL, httpUrl);
  const portNamesGateway = pushOnly && pushUrl === undefined;
  const port = flags.value(
    portNamesGateway ? { ...PORT, rule: "a whole number from 1 to 65535 with --push" } : PORT,
    wholeNumber({ min: portNamesGateway ? 1 : 0, max: 65_535 }),
  ) ?? Number(PORT.defaultText);
  const gateway = pushUrl ??
    (pushOnly ? new URL(`http://${host.includes(":") ? `[${host}]` : host}:${port}`) : undefined);
  if (!pushOnly && pushUrl && isOurPage(pushUrl, { host, port, hostname: invocation.hostname })) {
    throw new UsageError(
      `--push-url ${JSON.stringify(pushUrl.href)}: must not be our own page, which --host and --port open`,
    );
  }
  const job = flags.value(PUSH_JOB, (text) => text === "" ? undefined : text) ?? PUSH_JOB.defaultText!;
  const { namespace, component, endpoint } = watch.target;
  const instance = flags.value(PUSH_INSTANCE, (text) => text) ??
    `${invocation.hostname}/${namespace}/${component}/${endpoint}`;
  const method: PushMethod =
    flags.value(PUSH_METHOD, (text) => text === "put" || text === "post" ? text : undefined) ?? "put";
  const pushIntervalMs = flags.value(PUSH_INTERVAL, intervalMs) ?? 2_000;
  const push = gateway && {
    gateway: gateway.href.replace(/\/$/, ""),
    url: groupUrl(gateway, { job, instance }),
    job,
    instance,
    intervalMs: pushIntervalMs,
    method,
    proxy: proxyOf(gateway, invocation.env),
    deleteAtEnd: method === "put" && instance !== "" && !flags.has(PUSH_KEEP),
  };
  return Object.freeze({
    ...watch,
    serve: pushOnly ? undefined : { host, port, gzip: !flags.has(NO_GZIP) },
    web: !flags.has(NO_WEB),
    push,
    workerLabels: flags.value(WORKER_LABELS_FLAG, (text) =>
      WORKER_LABELS.find((labels) => labels === text)) ?? "full",
    publish: watch.withNats && !flags.has(NO_PUBLISH),
    revision: invocation.env.METRICS_REVISION || "unknown",
    logging: readLogging(USAGE.program, invocation),
  });
}

/** Without a zone, which Deno cannot serve on. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes("%");
}

function isHostName(text: string): boolean {
  return isAddress(text) || /^[\w.-]+$/.test(text) && URL.canParse(`http://${text}`);
}

/** True when pushing there would be pushing to ourselves. */
function isOurPage(url: URL, own: { host: string; port: number; hostname: string }): boolean {
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  if (port !== own.port || own.port === 0) return false;
  const host = canonicalHost(url.hostname);
  const ownHost = canonicalHost(own.host.includes(":") ? `[${own.host}]` : own.host);
  if (host === ownHost) return true;
  const everywhere = ["0.0.0.0", "[::]"];
  const local = host === "localhost" || host === "[::1]" || host.startsWith("127.") ||
    everywhere.includes(host);
  if (everywhere.includes(ownHost)) return local || host === own.hostname.toLowerCase();
  const ownIsMain = ownHost === "127.0.0.1" || ownHost === "[::1]";
  return ownIsMain && (host === "localhost" || everywhere.includes(host));
}

/** A host as addresses are compared: shortest form of IPv6, IPv4 as such, lower case, no dot at the end. */
function canonicalHost(host: string): string {
  const { hostname } = new URL(`http://${host}`);
  const mapped = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(hostname);
  if (mapped === null) return hostname.replace(/\.$/, "");
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
