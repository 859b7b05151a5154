import { termination } from "./lib/cli/termination.ts";

const signal = termination();
const { settingsOrExit } = await import("./lib/cli/usage.ts");
const { parseMetricsOptions } = await import("./lib/cli/metrics_options.ts");
const { runMetrics } = await import("./lib/commands/metrics.ts");

const settings = settingsOrExit(() =>
  parseMetricsOptions({
    argv: Deno.args,
    env: Deno.env.toObject(),
    terminal: Deno.stderr.isTerminal(),
    hostname: Deno.hostname(),
  })
);
Deno.exit(await runMetrics(settings, signal));
