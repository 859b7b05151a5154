import { type LogOptions, parseLogFilter } from "../log.ts";
import type { Invocation } from "./usage.ts";

/** How a program logs, by the variables of Dynamo's programs; colours only on a terminal that was not asked to spare them. */
export function readLogging(
  program: string,
  { env, terminal }: { readonly env: Invocation["env"]; readonly terminal: boolean },
): LogOptions {
  return {
    program,
    filter: parseLogFilter(env.DYN_LOG || "info"),
    format: isTruthy(env.DYN_LOGGING_JSONL) ? "jsonl" : "text",
    localTime: isTruthy(env.DYN_LOG_USE_LOCAL_TZ),
    colors: terminal && !env.NO_COLOR && !isTruthy(env.DYN_SDK_DISABLE_ANSI_LOGGING),
  };
}

/** Dynamo's own reading of a switch in the environment. */
function isTruthy(text: string | undefined): boolean {
  return ["1", "true", "on", "yes"].includes(text?.toLowerCase() ?? "");
}

export const LOGGING_NOTES =
  "Logs go to stderr. DYN_LOG (info; debug; warn,metrics::transport=debug) says how much, " +
  "DYN_LOGGING_JSONL=1 makes them JSON, DYN_LOG_USE_LOCAL_TZ=1 local time, NO_COLOR=1 plain on a terminal.";
