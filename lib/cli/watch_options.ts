import { join } from "node:path";
import { fillPageTemplate } from "../discovery/page_addresses.ts";
import { DEFAULT_FILE_STORE } from "../dynamo/file_name.ts";
import { NAME_RULE, type Target } from "../dynamo/target.ts";
import { type Channel, CHANNELS } from "../events/observation.ts";
import { CONNECTION_FLAGS, type Connections, readConnections } from "./connections.ts";
import { INTERVAL_RULE, intervalMs, milliseconds } from "./seconds.ts";
import { ADDRESS_HELP, isAddressGiven, readTarget } from "./target_options.ts";
import { type Flag, type GivenFlags, type Invocation, UsageError } from "./usage.ts";

/** Whom to watch, and how. */
export interface WatchSettings {
  readonly target: Target;
  readonly pollIntervalMs: number;
  readonly limits: {
    readonly staleAfterMs: number;
    readonly forgetAfterMs: number;
    readonly stuckAfterMs: number;
  };
  /** Where workers' pages are whose cards do not say: templates with `{id}` and `{host}`. */
  readonly workerUrls: readonly string[];
  /** A file that lists such pages. */
  readonly workerUrlFile: string | undefined;
  /** The ways by which workers are seen. */
  readonly channels: ReadonlySet<Channel>;
  /** Whether NATS is used at all. */
  readonly withNats: boolean;
  /** Where workers are registered, in place of etcd. */
  readonly fileStore: FileStoreSettings | undefined;
  readonly connections: Connections;
}

export interface FileStoreSettings {
  readonly folder: string;
  /** Dynamo's default folder is made by its first worker; one that somebody named should be there. */
  readonly mayBeMissing: boolean;
}

const COMPONENT: Flag = {
  name: "--component",
  value: "NAME",
  rule: NAME_RULE,
  help: "Component to watch (required)",
  example: "VllmWorker",
};
const ENDPOINT: Flag = {
  name: "--endpoint",
  value: "NAME",
  rule: NAME_RULE,
  help: `Its endpoint that has the load data (required), ${ADDRESS_HELP}`,
  example: "load_metrics",
};
const NAMESPACE: Flag = {
  name: "--namespace",
  value: "NAME",
  rule: NAME_RULE,
  help: "Namespace of the component, and of the events to hear",
  defaultText: "dynamo",
  env: "DYN_NAMESPACE",
};
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
const STUCK_AFTER: Flag = {
  name: "--stuck-after",
  value: "SECONDS",
  rule: "a number of seconds from 1 to 86400",
  help:
    "How long requests may be in flight without a finished forward pass until a worker is called stuck; only workers whose passes can be heard are",
  defaultText: "10",
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
    "Workers' HTTP pages as Prometheus' http_sd lists them, in a JSON file that is read again when it changes; the label worker_id (decimal, as text) says whose page it is, whatever the page itself says",
};
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
  defaultText: `${DEFAULT_FILE_STORE} in the folder that TMPDIR names, else in /tmp`,
  env: "DYN_FILE_KV",
};
/** Whom to watch, and how often. */
export const TARGET_FLAGS: readonly Flag[] = [
  COMPONENT,
  ENDPOINT,
  NAMESPACE,
  POLL_INTERVAL,
  STALE_AFTER,
  FORGET_AFTER,
  STUCK_AFTER,
];

/** Where what is known of them comes from. */
export const SOURCE_FLAGS: readonly Flag[] = [
  WORKER_URL,
  WORKER_URL_FILE,
  ...CONNECTION_FLAGS,
  NO_NATS,
  CHANNELS_FLAG,
  DISCOVERY,
  FILE_KV,
];

/** The flag that is missing first where nobody is named to watch. */
export function missingTarget(flags: GivenFlags): Flag | undefined {
  return flags.has(COMPONENT) || isAddressGiven(flags, ENDPOINT) ? undefined : COMPONENT;
}

/** @throws {UsageError} */
export function readWatch(flags: GivenFlags, env: Invocation["env"]): WatchSettings {
  const target = readTarget(flags, { namespace: NAMESPACE, component: COMPONENT, endpoint: ENDPOINT });
  const pollIntervalMs = flags.value(POLL_INTERVAL, intervalMs) ?? 1_000;
  const staleAfterMs = flags.value(STALE_AFTER, milliseconds({ min: pollIntervalMs, max: 86_400_000 })) ??
    defaultStaleAfterMs(pollIntervalMs);
  const forgetAfterMs = flags.value(FORGET_AFTER, milliseconds({ min: staleAfterMs, max: 864_000_000 })) ??
    10 * staleAfterMs;
  const stuckAfterMs = flags.value(STUCK_AFTER, milliseconds({ min: 1_000, max: 86_400_000 })) ?? 10_000;
  const channels = flags.value(CHANNELS_FLAG, channelList) ?? new Set(CHANNELS);
  const withNats = !flags.has(NO_NATS) && (channels.has("stats") || channels.has("event_nats"));
  const connections = readConnections(flags, env);
  const fileStore = readFileStore(flags, env);
  if (!withNats && fileStore === undefined && connections.etcd === undefined) {
    const why = flags.has(NO_NATS) ? "--no-nats" : "--channels without stats and event_nats";
    throw new UsageError(`${why}: must not stand beside --no-etcd: nothing is left to ask`);
  }
  return {
    target,
    pollIntervalMs,
    limits: { staleAfterMs, forgetAfterMs, stuckAfterMs },
    workerUrls: flags.values(WORKER_URL, workerUrl),
    workerUrlFile: flags.value(WORKER_URL_FILE, (text) => text === "" ? undefined : text),
    channels,
    withNats,
    fileStore,
    connections,
  };
}

/** As Dynamo: the folder that is named, else its default one in the temporary folder. */
function readFileStore(flags: GivenFlags, env: Invocation["env"]): FileStoreSettings | undefined {
  const backend = flags.value(DISCOVERY, (text) => text === "etcd" || text === "file" ? text : undefined);
  if (backend !== "file") {
    if (!flags.has(FILE_KV)) return undefined;
    throw new UsageError(`${FILE_KV.name}: must stand beside ${DISCOVERY.name} file`);
  }
  const folder = flags.value(FILE_KV, (text) => text === "" ? undefined : text);
  return folder === undefined
    ? { folder: join(env.TMPDIR || "/tmp", DEFAULT_FILE_STORE), mayBeMissing: true }
    : { folder, mayBeMissing: false };
}

function channelList(text: string): ReadonlySet<Channel> | undefined {
  const names = text.split(",");
  const known = CHANNELS.filter((channel) => names.includes(channel));
  return names.length === known.length ? new Set(known) : undefined;
}

/** Three polls, but at least 3 s. */
function defaultStaleAfterMs(pollIntervalMs: number): number {
  return Math.max(3 * pollIntervalMs, 3_000);
}

function workerUrl(text: string): string | undefined {
  const filled = fillPageTemplate(text, { id: "a1", host: "host" });
  if (!/^https?:\/\//i.test(text) || filled === undefined || /[{}\s]/.test(filled)) return undefined;
  const { username, password } = new URL(filled);
  return username || password || text.includes("#") ? undefined : text;
}
