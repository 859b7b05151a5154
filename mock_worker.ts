import { aborted, termination as signal } from "./lib/cli/termination.ts";
import { parseMockOptions } from "./lib/cli/mock_options.ts";
import { forgetProxies } from "./lib/cli/proxies.ts";
import { settingsOrExit } from "./lib/cli/usage.ts";
import { logEnding } from "./lib/commands/ending.ts";
import { warnOfUnused } from "./lib/commands/unused_variables.ts";
import { configureLogging, logger } from "./lib/log.ts";
import { startMockWorker } from "./lib/mock/mock_workers.ts";
import { BindError } from "./lib/transport/bind_error.ts";

const { connections, logging, ...settings } = settingsOrExit(() =>
  parseMockOptions({ argv: Deno.args, env: Deno.env.toObject(), terminal: Deno.stderr.isTerminal() })
);
forgetProxies();
configureLogging(logging);
logEnding(signal);
try {
  const { nats, etcd, unused } = connections;
  warnOfUnused(unused, { nats: true, etcd: etcd !== undefined });
  await using _workers = startMockWorker({
    ...settings,
    nats,
    ...(etcd && { etcd }),
    signal,
  });
  await aborted(signal);
} catch (error) {
  if (!(error instanceof BindError)) throw error;
  logger().error(error.message);
  Deno.exit(1);
}
Deno.exit(0);
