import { isName, NAME_RULE, type Target } from "../dynamo/target.ts";
import type { LogOptions } from "../log.ts";
import { DEFAULT_RELEASE, isRelease, type Release, RELEASES } from "../mock/releases.ts";
import { CONNECTION_FLAGS, type Connections, readConnections, SECRETS_NOTE } from "./connections.ts";
import { LOGGING_NOTES, readLogging } from "./logging.ts";
import { type Flag, type Invocation, readFlags, type Shown, type Usage, wholeNumber } from "./usage.ts";

/** What `mock_worker` was started to do. */
export interface MockSettings {
  readonly target: Target;
  readonly workers: number;
  readonly seed?: string;
  readonly steady: boolean;
  readonly release: Release;
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
const ENDPOINT = name("endpoint", { help: "Their endpoint", defaultText: "my_endpoint" });

const WORKER_RANGE = { min: 1, max: 10_000 };
const WORKERS: Flag = {
  name: "--workers",
  value: "N",
  rule: `a whole number from ${WORKER_RANGE.min} to ${WORKER_RANGE.max}`,
  help:
    `How many workers to play, up to ${WORKER_RANGE.max}, each with a lease and a NATS service of its own`,
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

const USAGE: Usage = {
  program: "mock_worker",
  about:
    "plays Dynamo workers that real clients find, with random load data and kv-hit-rate events, for demos and " +
    "tests. It serves no requests (no request plane): whoever sends it one gets no answer.",
  examples: [
    "mock_worker",
    "mock_worker --workers 3 --seed 1 --steady",
    "mock_worker --component VllmWorker --endpoint load_metrics --release 0.6.0",
    "mock_worker --no-etcd --nats-server nats://10.0.0.5:4222",
  ],
  flags: [NAMESPACE, COMPONENT, ENDPOINT, WORKERS, SEED, STEADY, RELEASE, ...CONNECTION_FLAGS],
  notes: `${SECRETS_NOTE}\n${LOGGING_NOTES}`,
};

/** @throws {UsageError} */
export function parseMockOptions(
  invocation: Invocation & { readonly terminal: boolean },
): MockSettings | Shown {
  const flags = readFlags(USAGE, invocation);
  if ("shown" in flags) return flags;
  const readName = (flag: Flag) =>
    flags.value(flag, (text) => isName(text) ? text : undefined) ?? flag.defaultText!;
  const seed = flags.value(SEED, wholeNumber(SEED_RANGE));
  return Object.freeze({
    target: { namespace: readName(NAMESPACE), component: readName(COMPONENT), endpoint: readName(ENDPOINT) },
    workers: flags.value(WORKERS, wholeNumber(WORKER_RANGE)) ?? 1,
    ...(seed !== undefined && { seed: String(seed) }),
    steady: flags.has(STEADY),
    release: flags.value(RELEASE, (text) => isRelease(text) ? text : undefined) ?? DEFAULT_RELEASE,
    connections: readConnections(flags, invocation.env),
    logging: readLogging(USAGE.program, invocation),
  });
}
