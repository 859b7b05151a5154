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
  logAside(settings);
  using _ending = logEnding(signal);
  await using ends = new AsyncDisposableStack();
  const end = new AbortController();
  const both = AbortSignal.any([signal, end.signal]);
  const source = openSource(settings.source, { signal: both, ends });
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
  { signal, ends }: {
    readonly signal: AbortSignal;
    readonly ends: AsyncDisposableStack;
  },
): FleetSource {
  const clock = systemClock;
  if ("url" in settings) return new StreamSource({ url: settings.url, clock });
  const { target, pollIntervalMs } = settings;
  const name = `metrics top ${targetPath(target)}`;
  const { deployment } = openWatch(settings, { name, recorder: NOTHING_COUNTED, clock, signal, ends });
  return new DeploymentSource({ deployment, clock, pollIntervalMs });
}

/** Lines of the log go where they have a place of their own, and else nowhere: the screen shows the findings. */
function logAside({ logging, isLogged }: TopSettings): void {
  const filter = isLogged ? logging.filter : { fallback: "off", targets: [] } as const;
  configureLogging({ ...logging, filter, format: "text", colors: false });
}

const NOTHING_COUNTED: Recorder = { note: () => {} };
