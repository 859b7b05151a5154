import { aborted, termination } from "./lib/cli/termination.ts";

const signal = termination();
const { settingsOrExit } = await import("./lib/cli/usage.ts");
const { parseMockOptions } = await import("./lib/cli/mock_options.ts");
const { configureLogging, logger } = await import("./lib/log.ts");
const { BindError } = await import("./lib/transport/bind_error.ts");
const { logEnding } = await import("./lib/commands/ending.ts");
const { startMockWorker } = await import("./lib/mock/mock_workers.ts");

const { connections, logging, ...settings } = settingsOrExit(() =>
  parseMockOptions({ argv: Deno.args, env: Deno.env.toObject(), terminal: Deno.stderr.isTerminal() })
);
configureLogging(logging);
logEnding(signal);
try {
  const { nats, etcd } = connections;
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
