import type { LogOptions } from "../log.ts";
import { SECRETS_NOTE } from "./credentials.ts";
import { HTTP_URL_RULE, httpUrl } from "./http_url.ts";
import { readLogging } from "./logging.ts";
import {
  type Flag,
  type Invocation,
  missingText,
  readFlags,
  type Shown,
  type Usage,
  UsageError,
} from "./usage.ts";
import { missingTarget, readWatch, SOURCE_FLAGS, TARGET_FLAGS, type WatchSettings } from "./watch_options.ts";

/** What `metrics top` was started to do. */
export interface TopSettings {
  /** Whom to watch, or where the `metrics` is that does. */
  readonly source: WatchSettings | { readonly url: URL };
  /** The whole screen, until told to end; else one table. */
  readonly isFullScreen: boolean;
  readonly colors: boolean;
  readonly logging: LogOptions;
  /** Whether log lines go to stderr: not where that is a terminal. */
  readonly isLogged: boolean;
}

/** Which of the program's streams are terminals. */
export interface Terminals {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

const URL_FLAG: Flag = {
  name: "--url",
  value: "URL",
  rule: HTTP_URL_RULE,
  help:
    "Watch by a metrics that runs and serves there, instead of asking the workers; no other flag is needed. The address of its /metrics will do",
};

const USAGE: Usage = {
  program: "metrics top",
  about:
    "shows what every worker of a target is doing, live in the terminal; where stdout is no terminal, once as " +
    "a table.",
  examples: [
    "metrics top --component VllmWorker --endpoint load_metrics",
    "metrics top --url http://localhost:9091",
    "metrics top --url http://localhost:9091 | cat",
  ],
  flags: [URL_FLAG, ...TARGET_FLAGS, ...SOURCE_FLAGS],
  notes:
    `Keys: arrows or j and k choose a worker, Enter shows all that is known of it, / filters by id, state, ` +
    `type, model and release, s and r change the order, Tab the target, q ends.\n${SECRETS_NOTE}\n` +
    "Logs go to stderr where that is no terminal, as DYN_LOG says. NO_COLOR=1 shows no colours.",
};

/** @throws {UsageError} */
export function parseTopOptions(
  invocation: Invocation & { readonly terminals: Terminals },
): TopSettings | Shown {
  const flags = readFlags(USAGE, invocation);
  if ("shown" in flags) return flags;
  const { env, terminals: { stdin, stdout, stderr } } = invocation;
  const url = flags.value(URL_FLAG, servedAt);
  const beside = [...TARGET_FLAGS, ...SOURCE_FLAGS].find((flag) => flags.has(flag));
  if (url && beside) {
    throw new UsageError(`--url: must not stand beside ${beside.name}, which says what we watch ourselves`);
  }
  const missing = url ? undefined : missingTarget(flags);
  if (missing) throw new UsageError(`${missingText(missing)}; or say --url`);
  return Object.freeze({
    source: url ? { url } : readWatch(flags, env),
    isFullScreen: stdin && stdout && env.TERM !== "dumb",
    colors: !env.NO_COLOR,
    logging: readLogging("metrics", { env, terminal: stderr }),
    isLogged: !stderr,
  });
}

/** Where a `metrics` serves, given that or what Prometheus scrapes of it. */
function servedAt(text: string): URL | undefined {
  return httpUrl(text.replace(/\/metrics\/?$/, "/"));
}
