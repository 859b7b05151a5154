import { termination } from "./lib/cli/termination.ts";
import { parseMetricsOptions } from "./lib/cli/metrics_options.ts";
import { forgetProxies } from "./lib/cli/proxies.ts";
import { settingsOrExit } from "./lib/cli/usage.ts";
import { runMetrics } from "./lib/commands/metrics.ts";

const [command, ...rest] = Deno.args;
const isHelpOfTop = command === "help" && rest[0] === "top";
Deno.exit(await (isHelpOfTop ? top(["--help"]) : command === "top" ? top(rest) : metrics()));

async function metrics(): Promise<number> {
  const settings = settingsOrExit(() =>
    parseMetricsOptions({
      argv: Deno.args,
      env: Deno.env.toObject(),
      terminal: Deno.stderr.isTerminal(),
      hostname: Deno.hostname(),
    })
  );
  forgetProxies();
  return await runMetrics(settings, termination);
}

async function top(argv: readonly string[]): Promise<number> {
  const { parseTopOptions } = await import("./lib/cli/top_options.ts");
  const { runTop } = await import("./lib/commands/top.ts");
  const settings = settingsOrExit(() =>
    parseTopOptions({
      argv,
      env: Deno.env.toObject(),
      terminals: {
        stdin: Deno.stdin.isTerminal(),
        stdout: Deno.stdout.isTerminal(),
        stderr: Deno.stderr.isTerminal(),
      },
    })
  );
  if (!("url" in settings.source)) forgetProxies();
  return await runTop(settings, termination);
}
