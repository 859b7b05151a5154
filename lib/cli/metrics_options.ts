import { isIP } from "node:net";
import { fillPageTemplate } from "../discovery/page_addresses.ts";
import { isName, NAME_RULE, type Target } from "../dynamo/target.ts";
import { type Channel, CHANNELS } from "../events/observation.ts";
import { WORKER_LABELS, type WorkerLabels } from "../exposition/family.ts";
import type { LogOptions } from "../log.ts";
import { groupUrl, type PushMethod } from "../output/push_group.ts";
import { CONNECTION_FLAGS, type Connections, readConnections, SECRETS_NOTE } from "./connections.ts";
import { LOGGING_NOTES, readLogging } from "./logging.ts";
import {
  type Flag,
  type Invocation,
  readFlags,
  type ReadValue,
  type Shown,
  type Usage,
  UsageError,
  wholeNumber,
} from "./usage.ts";

/** What `metrics` was started to do. */
export interface MetricsSettings {
  readonly target: Target;
  readonly pollIntervalMs: number;
  readonly limits: { readonly staleAfterMs: number; readonly forgetAfterMs: number };
  /** Where the page is served; undefined when it is only pushed. */
  readonly serve: { readonly host: string; readonly port: number; readonly gzip: boolean } | undefined;
  /** Whether the live page and its API are served too. */
  readonly web: boolean;
  readonly push: PushSettings | undefined;
  /** Where workers' pages are whose cards do not say: templates with `{id}` and `{host}`. */
  readonly workerUrls: readonly string[];
  /** A file that lists such pages. */
  readonly workerUrlFile: string | undefined;
  readonly workerLabels: WorkerLabels;
  readonly publish: boolean;
  /** The ways by which workers are seen. */
  readonly channels: ReadonlySet<Channel>;
  /** Whether NATS is used at all. */
  readonly withNats: boolean;
  /** The folder where workers are registered, in place of etcd. */
  readonly fileStore: string | undefined;
  /** The commit that a built executable was made of. */
  readonly revision: string;
  readonly connections: Connections;
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
  /** Whether the group is deleted at the end: it is ours alone, and nobody asked to keep it. */
  readonly deleteAtEnd: boolean;
}

const COMPONENT: Flag = {
  name: "--component",
  value: "NAME",
  rule: NAME_RULE,
  help: "Component to watch (required)",
};
const ENDPOINT: Flag = {
  name: "--endpoint",
  value: "NAME",
  rule: NAME_RULE,
  help: "Its endpoint that has the load data (required)",
};
const NAMESPACE: Flag = {
  name: "--namespace",
  value: "NAME",
  rule: NAME_RULE,
  help: "Namespace of the component, and of the events to hear",
  defaultText: "dynamo",
  env: "DYN_NAMESPACE",
};
const INTERVAL_RULE = "a number of seconds from 0.1 to 86400";
const POLL_INTERVAL: Flag = {
  name: "--poll-interval",
  value: "SECONDS",
  rule: INTERVAL_RULE,
  help: "How often the workers are asked",
  defaultText: "1",
};
const STALE_AFTER: Flag = {
  name: "--stale-after",
  value: "SECONDS",
  rule: "a number of seconds from one poll interval to 86400",
  help: "How long after its last answer a worker is silent and its numbers leave the page",
  defaultText: "three polls, at least 3",
};
const FORGET_AFTER: Flag = {
  name: "--forget-after",
  value: "SECONDS",
  rule: "a number of seconds from --stale-after to 864000",
  help: "How long after its last answer a silent worker is gone that etcd does not list",
  defaultText: "ten times --stale-after",
};
const WORKER_URL: Flag = {
  name: "--worker-url",
  value: "URL",
  rule: "http://… or https://…, with {id} and {host} allowed, without a user or a fragment",
  help:
    "A worker's HTTP page where its model card does not say it (before 1.4), such as http://{host}:8081/metrics; {host} and {id} (hex) are filled in for every worker; may be given several times",
  repeatable: true,
};
const WORKER_URL_FILE: Flag = {
  name: "--worker-url-file",
  value: "FILE",
  rule: "the path of a file",
  help:
    "Workers' HTTP pages as Prometheus' http_sd lists them, in a JSON file that is read again when it changes; the label worker_id says whose a page is that does not say so itself (before 1.1)",
};
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
  rule: "http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH], without a user, a query or a fragment",
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
const NO_NATS: Flag = { name: "--no-nats", help: "Go without NATS: by etcd and by what workers say on ZMQ" };
const CHANNELS_FLAG: Flag = {
  name: "--channels",
  value: "LIST",
  rule: `some of ${CHANNELS.join(",")}, with a comma between them`,
  help: `By which ways workers are seen: ${
    CHANNELS.join(",")
  }, or some of these. Without stats and event_nats nothing goes over NATS, as with --no-nats; card are the totals of model cards in etcd`,
  defaultText: "all",
};
const DISCOVERY: Flag = {
  name: "--discovery-backend",
  value: "etcd|file",
  rule: "etcd or file",
  help: "Where workers are registered",
  defaultText: "etcd",
  env: "DYN_DISCOVERY_BACKEND",
};
const FILE_KV: Flag = {
  name: "--file-kv",
  value: "DIR",
  rule: "the folder of the file store",
  help: "Folder of the file store, with --discovery-backend file",
  env: "DYN_FILE_KV",
};
const NO_PUBLISH: Flag = { name: "--no-publish", help: "Do not republish the aggregate on NATS" };

const USAGE: Usage = {
  program: "metrics",
  about: "shows what every worker of an NVIDIA Dynamo deployment is doing, as Prometheus metrics.",
  examples: [
    "metrics --component VllmWorker --endpoint load_metrics",
    "metrics --component my_component --endpoint my_endpoint --host 127.0.0.1 --port 0",
    "metrics --component VllmWorker --endpoint load_metrics --push --host pushgateway --port 9091",
    "metrics --component VllmWorker --endpoint load_metrics --push-url https://gateway.example/push",
  ],
  flags: [
    COMPONENT,
    ENDPOINT,
    NAMESPACE,
    POLL_INTERVAL,
    STALE_AFTER,
    FORGET_AFTER,
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
    WORKER_URL,
    WORKER_URL_FILE,
    ...CONNECTION_FLAGS,
    NO_NATS,
    CHANNELS_FLAG,
    DISCOVERY,
    FILE_KV,
  ],
  notes: `${SECRETS_NOTE}\n${LOGGING_NOTES}`,
};

/** @throws {UsageError} */
export function parseMetricsOptions(
  invocation: Invocation & { readonly terminal: boolean; readonly hostname: string },
): MetricsSettings | Shown {
  const flags = readFlags(USAGE, invocation);
  if ("shown" in flags) return flags;
  const readName = (text: string) => isName(text) ? text : undefined;
  const target = {
    namespace: flags.value(NAMESPACE, readName) ?? NAMESPACE.defaultText!,
    component: flags.required(COMPONENT, readName),
    endpoint: flags.required(ENDPOINT, readName),
  };
  const pollIntervalMs = flags.value(POLL_INTERVAL, intervalMs) ?? 1_000;
  const staleAfterMs = flags.value(STALE_AFTER, milliseconds({ min: pollIntervalMs, max: 86_400_000 })) ??
    defaultStaleAfterMs(pollIntervalMs);
  const forgetAfterMs = flags.value(FORGET_AFTER, milliseconds({ min: staleAfterMs, max: 864_000_000 })) ??
    10 * staleAfterMs;
  const pushOnly = flags.has(PUSH);
  const host = flags.value(
    pushOnly ? { ...HOST, rule: "a host name or an address" } : HOST,
    (text) => (pushOnly ? isHostName(text) : isAddress(text)) ? text : undefined,
  ) ?? HOST.defaultText!;
  const pushUrl = flags.value(PUSH_URL, gatewayUrl);
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
  const { namespace, component, endpoint } = target;
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
    deleteAtEnd: method === "put" && instance !== "" && !flags.has(PUSH_KEEP),
  };
  const channels = flags.value(CHANNELS_FLAG, channelList) ?? new Set(CHANNELS);
  const withNats = !flags.has(NO_NATS) && (channels.has("stats") || channels.has("event_nats"));
  const connections = readConnections(flags, invocation.env);
  const backend = flags.value(DISCOVERY, (text) => text === "etcd" || text === "file" ? text : undefined);
  const fileStore = backend === "file"
    ? flags.required(FILE_KV, (text) => text === "" ? undefined : text)
    : undefined;
  if (!withNats && fileStore === undefined && connections.etcd === undefined) {
    const why = flags.has(NO_NATS) ? "--no-nats" : "--channels without stats and event_nats";
    throw new UsageError(`${why}: must not stand beside --no-etcd: nothing is left to ask`);
  }
  return Object.freeze({
    target,
    pollIntervalMs,
    limits: { staleAfterMs, forgetAfterMs },
    serve: pushOnly ? undefined : { host, port, gzip: !flags.has(NO_GZIP) },
    web: !flags.has(NO_WEB),
    push,
    workerUrls: flags.values(WORKER_URL, workerUrl),
    workerUrlFile: flags.value(WORKER_URL_FILE, (text) => text === "" ? undefined : text),
    workerLabels: flags.value(WORKER_LABELS_FLAG, (text) =>
      WORKER_LABELS.find((labels) => labels === text)) ?? "full",
    publish: withNats && !flags.has(NO_PUBLISH),
    channels,
    withNats,
    fileStore,
    revision: invocation.env.METRICS_REVISION || "unknown",
    connections,
    logging: readLogging(USAGE.program, invocation),
  });
}

function channelList(text: string): ReadonlySet<Channel> | undefined {
  const names = text.split(",");
  const known = CHANNELS.filter((channel) => names.includes(channel));
  return names.length === known.length ? new Set(known) : undefined;
}

const intervalMs = milliseconds({ min: 100, max: 86_400_000 });

/** Reads seconds, with fractions, of a range in milliseconds. */
function milliseconds(range: { readonly min: number; readonly max: number }): ReadValue<number> {
  return (text) => {
    const ms = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Math.round(Number(text) * 1_000) : NaN;
    return ms >= range.min && ms <= range.max ? ms : undefined;
  };
}

/** Three polls, but at least 3 s. */
function defaultStaleAfterMs(pollIntervalMs: number): number {
  return Math.max(3 * pollIntervalMs, 3_000);
}

/** Without a zone, which Deno cannot serve on. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes("%");
}

function isHostName(text: string): boolean {
  return isAddress(text) || /^[\w.-]+$/.test(text) && URL.canParse(`http://${text}`);
}

function gatewayUrl(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const more = url.username || url.password || /[?#]/.test(text) || url.port === "0";
  return more ? undefined : url;
}

function workerUrl(text: string): string | undefined {
  const filled = fillPageTemplate(text, { id: "a1", host: "host" });
  if (!/^https?:\/\//i.test(text) || filled === undefined || /[{}\s]/.test(filled)) return undefined;
  const { username, password } = new URL(filled);
  return username || password || text.includes("#") ? undefined : text;
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

/** A host as addresses are compared: shortest form of IPv6, lower case, no dot at the end. */
function canonicalHost(host: string): string {
  return new URL(`http://${host}`).hostname.replace(/\.$/, "");
}
