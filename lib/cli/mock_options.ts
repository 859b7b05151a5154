import { NAME_RULE, type Target } from "../dynamo/target.ts";
import type { LogOptions } from "../log.ts";
import {
  DEFAULT_RELEASE,
  defaultEventPlane,
  EVENT_PLANES,
  type EventPlane,
  hasEventChannels,
  isRelease,
  type Release,
  RELEASES,
  releaseTraits,
} from "../mock/releases.ts";
import { CONNECTION_FLAGS, type Connections, readConnections } from "./connections.ts";
import { SECRETS_NOTE } from "./credentials.ts";
import { LOGGING_NOTES, readLogging } from "./logging.ts";
import { ADDRESS_HELP, readTarget } from "./target_options.ts";
import {
  type Flag,
  type GivenFlags,
  type Invocation,
  readFlags,
  type Shown,
  type Usage,
  UsageError,
  wholeNumber,
} from "./usage.ts";

/** What `mock_worker` was started to do. */
export interface MockSettings {
  readonly target: Target;
  readonly workers: number;
  readonly seed?: string;
  readonly steady: boolean;
  readonly release: Release;
  readonly eventPlane?: EventPlane;
  readonly systemPort?: number;
  readonly connections: Connections;
  readonly logging: LogOptions;
}

const name = (name: string, more: Omit<Flag, "name" | "value" | "rule">): Flag => ({
  name: `--${name}`,
  value: "NAME",
  rule: NAME_RULE,
  ...more,
});

const NAMESPACE = name("namespace", {
  help: "Namespace of the workers",
  defaultText: "dynamo",
  env: "DYN_NAMESPACE",
});
const COMPONENT = name("component", { help: "Their component", defaultText: "my_component" });
const ENDPOINT = name("endpoint", { help: `Their endpoint, ${ADDRESS_HELP}`, defaultText: "my_endpoint" });

const WORKER_RANGE = { min: 1, max: 10_000 };
const WORKERS: Flag = {
  name: "--workers",
  value: "N",
  rule: `a whole number from ${WORKER_RANGE.min} to ${WORKER_RANGE.max}`,
  help: `How many workers to play, up to ${WORKER_RANGE.max}, each with a lease of its own`,
  defaultText: "1",
};

const SEED_RANGE = { min: 0, max: Number.MAX_SAFE_INTEGER };
const SEED: Flag = {
  name: "--seed",
  value: "N",
  rule: `a whole number from ${SEED_RANGE.min} to ${SEED_RANGE.max}`,
  help: "A whole number; the same seed says the same numbers",
  defaultText: "a random one",
};

const STEADY: Flag = {
  name: "--steady",
  help: "Numbers depend on seed and worker only, not on when or how often they are asked",
};

const RELEASE: Flag = {
  name: "--release",
  value: "RELEASE",
  rule: `one of ${Object.keys(RELEASES).join(", ")}`,
  help: `Whose names, keys and load data to use: ${Object.keys(RELEASES).join(", ")}`,
  defaultText: DEFAULT_RELEASE,
};

const EVENT_PLANE: Flag = {
  name: "--event-plane",
  value: "PLANE",
  rule: `one of ${EVENT_PLANES.join(", ")}`,
  help: "What carries the events of releases since 0.9.1",
  defaultText: "the release's own: nats to 1.2.1, zmq since",
  env: "DYN_EVENT_PLANE",
};

const SYSTEM_PORT: Flag = {
  name: "--system-port",
  value: "PORT",
  rule: "a port from 0 to 65535, 0 for a free one, or -1 for none",
  help:
    "Serve the worker's own /metrics, as releases since 0.6.0 can; with several workers 0, a free port for each",
  defaultText: "-1, none",
  env: "DYN_SYSTEM_PORT",
};

const USAGE: Usage = {
  program: "mock_worker",
  about:
    "plays Dynamo workers that real clients find, of releases 0.1.0 to 1.6.1, with random load data, for " +
    "demos and tests. It serves no requests (no request plane): whoever sends it one gets no answer.",
  examples: [
    "mock_worker",
    "mock_worker --workers 3 --seed 1 --steady",
    "mock_worker --component VllmWorker --endpoint load_metrics --release 0.6.0",
    "mock_worker --component backend --endpoint generate --release 1.6.1 --system-port 0",
    "mock_worker --no-etcd --nats-server nats://10.0.0.5:4222",
  ],
  flags: [
    NAMESPACE,
    COMPONENT,
    ENDPOINT,
    WORKERS,
    SEED,
    STEADY,
    RELEASE,
    EVENT_PLANE,
    SYSTEM_PORT,
    ...CONNECTION_FLAGS,
  ],
  notes: `${SECRETS_NOTE}\n${LOGGING_NOTES}`,
};

/** @throws {UsageError} */
export function parseMockOptions(
  invocation: Invocation & { readonly terminal: boolean },
): MockSettings | Shown {
  const flags = readFlags(USAGE, invocation);
  if ("shown" in flags) return flags;
  const seed = flags.value(SEED, wholeNumber(SEED_RANGE));
  const workers = flags.value(WORKERS, wholeNumber(WORKER_RANGE)) ?? 1;
  const release = flags.value(RELEASE, (text) => isRelease(text) ? text : undefined) ?? DEFAULT_RELEASE;
  const connections = readConnections(flags, invocation.env);
  return Object.freeze({
    target: readTarget(flags, { namespace: NAMESPACE, component: COMPONENT, endpoint: ENDPOINT }),
    workers,
    ...(seed !== undefined && { seed: String(seed) }),
    steady: flags.has(STEADY),
    release,
    ...readEventPlane(flags, { release, withEtcd: connections.etcd !== undefined }),
    ...readSystemPort(flags, { release, workers }),
    connections,
    logging: readLogging(USAGE.program, invocation),
  });
}

/** A release that has one plane alone does not read the variable, so that it may stand for others. */
function readEventPlane(
  flags: GivenFlags,
  { release, withEtcd }: { readonly release: Release; readonly withEtcd: boolean },
): Pick<MockSettings, "eventPlane"> {
  const traits = releaseTraits(release);
  if (!hasEventChannels(traits)) {
    if (!flags.has(EVENT_PLANE)) return {};
    throw new UsageError(`${EVENT_PLANE.name}: release ${release} has no choice, those since 0.9.1 have`);
  }
  const eventPlane = flags.value(EVENT_PLANE, (text) => EVENT_PLANES.find((plane) => plane === text));
  if ((eventPlane ?? defaultEventPlane(traits)) === "zmq" && !withEtcd) {
    throw new UsageError(
      `--no-etcd: the ZMQ sockets of release ${release} are found by etcd alone; ${EVENT_PLANE.name} nats needs none`,
    );
  }
  return eventPlane === undefined ? {} : { eventPlane };
}

const PORT_RANGE = { min: 0, max: 65_535 };

/** A release that has no page does not read the variable. */
function readSystemPort(
  flags: GivenFlags,
  { release, workers }: { readonly release: Release; readonly workers: number },
): Pick<MockSettings, "systemPort"> {
  const isGiven = flags.has(SYSTEM_PORT);
  if (releaseTraits(release).page === undefined) {
    if (!isGiven) return {};
    throw new UsageError(
      `${SYSTEM_PORT.name}: workers of release ${release} have no page, those since 0.6.0 have`,
    );
  }
  const readPort = wholeNumber(PORT_RANGE);
  const systemPort = flags.value(SYSTEM_PORT, (text) => text === "-1" ? -1 : readPort(text));
  if (systemPort === undefined || systemPort === -1) return {};
  if (systemPort > 0 && workers > 1) {
    const source = isGiven ? SYSTEM_PORT.name : SYSTEM_PORT.env;
    throw new UsageError(
      `${source} "${systemPort}": must be 0, a free port for each, with ${workers} workers`,
    );
  }
  return { systemPort };
}
