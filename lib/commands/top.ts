import type { TopSettings } from "../cli/top_options.ts";
import { targetPath } from "../dynamo/target.ts";
import { configureLogging } from "../log.ts";
import type { Recorder } from "../deployment/recorder.ts";
import { systemClock } from "../timing.ts";
import { firstTable } from "../top/first_table.ts";
import { DeploymentSource } from "../top/deployment_source.ts";
import type { FleetSource } from "../top/source.ts";
import { StreamSource } from "../top/stream_source.ts";
import { logEnding } from "./ending.ts";
import { openWatch } from "./watch.ts";

/** Shows the fleet in the terminal until `signal` is aborted or somebody has seen enough; gives the exit code. */
export async function runTop(settings: TopSettings, signal: AbortSignal): Promise<number> {
  const problem = logProblems(settings);
  using _ending = logEnding(signal);
  await using ends = new AsyncDisposableStack();
  const end = new AbortController();
  const both = AbortSignal.any([signal, end.signal]);
  const source = openSource(settings.source, { problem, signal: both, ends });
  const running = source.run(both);
  try {
    const { colors, isAscii, worker } = settings;
    if (!settings.isFullScreen) return await firstTable(source, { isAscii, signal: both });
    const { showOnTerminal } = await import("../top/terminal.ts");
    await showOnTerminal(source, { colors, isAscii, worker, signal });
    return 0;
  } finally {
    end.abort();
    await running;
  }
}

function openSource(
  settings: TopSettings["source"],
  { problem, signal, ends }: {
    readonly problem: () => string | undefined;
    readonly signal: AbortSignal;
    readonly ends: AsyncDisposableStack;
  },
): FleetSource {
  const clock = systemClock;
  if ("url" in settings) return new StreamSource({ url: settings.url, clock });
  const { target, pollIntervalMs } = settings;
  const name = `metrics top ${targetPath(target)}`;
  const { deployment } = openWatch(settings, { name, recorder: NOTHING_COUNTED, clock, signal, ends });
  return new DeploymentSource({ deployment, clock, pollIntervalMs, problem });
}

/** Where logs have a place of their own they go there; the last thing that went wrong is kept to be shown. */
function logProblems({ logging, isLogged }: TopSettings): () => string | undefined {
  let problem: string | undefined;
  const filter = isLogged ? logging.filter : { fallback: "warn", targets: [] } as const;
  configureLogging({ ...logging, filter, format: "text", colors: false }, (line) => {
    const [, said] = / (?:WARN|ERROR) \S+ (.*)/.exec(line) ?? [];
    if (said !== undefined) problem = said;
    if (isLogged) Deno.stderr.writeSync(new TextEncoder().encode(line));
  });
  return () => problem;
}

const NOTHING_COUNTED: Recorder = { note: () => {} };
