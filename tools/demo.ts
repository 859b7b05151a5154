/**
 * The whole on one machine: nats-server and etcd on free ports, three mock workers and metrics. Prints the address and
 * the first page with all three workers, then runs until it is interrupted, or for `--for SECONDS`; without a terminal
 * and without `--for` it ends after that page.
 *
 * `--against-original` runs the original `metrics` 0.1.1 (from PyPI) beside ours instead, and prints what each page has
 * after each of some faults.
 */
import { compareUnderFaults } from "./against_original.ts";
import { ownProgram, servedUrl } from "./program.ts";
import { startEtcd } from "./servers/etcd.ts";
import { startNats } from "./servers/nats.ts";

const WORKERS = 3;
/** How long the first page with all workers may take. */
const PAGE_MS = 30_000;

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(name, () => stop.abort());
const isComparison = Deno.args.join() === "--against-original";
const seconds = isComparison ? undefined : readSeconds(Deno.args);
try {
  if (isComparison) await compareUnderFaults({ print: console.log, signal: stop.signal });
  else await demo(stop.signal);
} catch (error) {
  if (stop.signal.aborted) Deno.exit(0);
  console.error(`error: ${(error as Error).message}`);
  Deno.exit(1);
}
Deno.exit(0);

async function demo(signal: AbortSignal): Promise<void> {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  const env = { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url };
  await using _workers = ownProgram("mock_worker.ts", { args: ["--workers", String(WORKERS)], env });
  await using metrics = ownProgram("main.ts", {
    args: ["--component", "my_component", "--endpoint", "my_endpoint", "--host", "127.0.0.1", "--port", "0"],
    env,
    onLog: (text) => Deno.stderr.writeSync(new TextEncoder().encode(text)),
  });
  const url = await Promise.race([servedUrl(metrics), aborted(signal)]);
  if (url === undefined) return;
  console.log(`metrics: ${url}/metrics  nats: ${nats.url}  etcd: ${etcd.url}`);
  const deadline = performance.now() + PAGE_MS;
  while (!signal.aborted) {
    const page = await (await fetch(`${url}/metrics`)).text();
    if (page.match(/^llm_kv_blocks_active\{/gm)?.length === WORKERS) {
      console.log(page);
      break;
    }
    if (performance.now() > deadline) {
      throw new Error(`no page with all ${WORKERS} workers within ${PAGE_MS / 1_000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (seconds === undefined && !Deno.stdout.isTerminal()) return;
  if (seconds !== undefined) setTimeout(() => stop.abort(), seconds * 1_000);
  console.error(`${url}/ shows it in a browser until Ctrl-C`);
  await aborted(signal);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined), { once: true }));
}

function readSeconds(args: readonly string[]): number | undefined {
  if (args.length === 0) return undefined;
  const seconds = args.length === 2 && args[0] === "--for" ? Number(args[1]) : NaN;
  if (seconds > 0 && seconds <= 86_400) return seconds;
  console.error("error: the options are --for SECONDS, a number above 0, or --against-original");
  Deno.exit(2);
}
