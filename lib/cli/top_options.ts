import type { LogOptions } from "../log.ts";
import { SECRETS_NOTE } from "./credentials.ts";
import { httpUrl } from "./http_url.ts";
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
  /** The id of the worker that is shown first, alone. */
  readonly worker: string | undefined;
  /** The whole screen, until told to end; else one table. */
  readonly isFullScreen: boolean;
  readonly colors: boolean;
  /** Whether what is shown is ASCII alone: nobody says that UTF-8 is understood. */
  readonly isAscii: boolean;
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
  rule: "http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH], without a user",
  help:
    "Watch by a metrics that runs and serves there, instead of asking the workers; no other flag is needed. The address of its /metrics will do, or that of its page as the browser shows it: #/worker/ID opens that worker",
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
    `type, model and release, s and r change the order, Tab the target, Ctrl-L draws anew, q ends.\n${SECRETS_NOTE}\n` +
    "Logs go to stderr where that is no terminal, as DYN_LOG says. NO_COLOR=1 shows no colours. " +
    "Without UTF-8 in LC_ALL, LC_CTYPE or LANG all is in ASCII.",
};

/** @throws {UsageError} */
export function parseTopOptions(
  invocation: Invocation & { readonly terminals: Terminals },
): TopSettings | Shown {
  const flags = readFlags(USAGE, invocation);
  if ("shown" in flags) return flags;
  const { env, terminals: { stdin, stdout, stderr } } = invocation;
  const served = flags.value(URL_FLAG, servedAt);
  const url = served?.url;
  const beside = [...TARGET_FLAGS, ...SOURCE_FLAGS].find((flag) => flags.has(flag));
  if (url && beside) {
    throw new UsageError(`--url: must not stand beside ${beside.name}, which says what we watch ourselves`);
  }
  const missing = url ? undefined : missingTarget(flags);
  if (missing) throw new UsageError(`${missingText(missing)}; or say --url`);
  return Object.freeze({
    source: url ? { url } : readWatch(flags, env),
    worker: served?.worker,
    isFullScreen: stdin && stdout && env.TERM !== "dumb",
    colors: !env.NO_COLOR,
    isAscii: !takesUtf8(env),
    logging: readLogging("metrics", { env, terminal: stderr }),
    isLogged: !stderr,
  });
}

/** Where a `metrics` serves, given that, what Prometheus scrapes of it, or what a browser shows of its page. */
function servedAt(text: string): { readonly url: URL; readonly worker: string | undefined } | undefined {
  const [, address, route = ""] = /^([^?#]*)(?:\?[^#]*)?(?:#(.*))?$/s.exec(text)!;
  const url = httpUrl(address!.replace(/\/metrics\/?$/, "/"));
  return url && { url, worker: /^\/worker\/(\d{1,20})(?:[/?&]|$)/.exec(route)?.[1] };
}

/** By the first of these variables that is set (POSIX, 8.2). Windows has none of them, and takes UTF-8. */
function takesUtf8(env: Invocation["env"]): boolean {
  return Deno.build.os === "windows" || /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || "");
}
