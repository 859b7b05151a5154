/**
 * The whole on one machine: nats-server and etcd on free ports, mock workers of an old and a new release, and metrics.
 * Prints the address of the live page first and last, and between them who is there, then runs until it is
 * interrupted, or for `--for SECONDS`; without a terminal and without `--for` it ends when it has shown them.
 *
 * `--against-original` runs the original `metrics` 0.1.1 (from PyPI) beside ours instead, and prints what each page has
 * after each of some faults.
 */
import type { Fleet } from "../lib/exposition/api_v1.ts";
import { compareUnderFaults } from "./against_original.ts";
import { ownCommand, ownProgram, type Program, servedUrl } from "./program.ts";
import { startEtcd } from "./servers/etcd.ts";
import { startNats } from "./servers/nats.ts";
import { taskArgs } from "./task_args.ts";

/** A process each: one release is asked over NATS, the other speaks by itself over ZMQ. */
const PROCESSES = [
  ["--release", "0.6.0"],
  ["--release", "0.6.0"],
  ["--release", "1.6.1", "--event-plane", "zmq", "--workers", "2"],
];
const WORKERS = 4;
/** How long it may take until all workers are seen. */
const SEEN_MS = 30_000;

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(name, () => stop.abort());
const isComparison = taskArgs.join() === "--against-original";
const seconds = isComparison ? undefined : readSeconds(taskArgs);
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
  await using metrics = ownProgram("main.ts", {
    args: ["--component", "my_component", "--endpoint", "my_endpoint", "--host", "127.0.0.1", "--port", "0"],
    env,
  });
  await using workers = new AsyncDisposableStack();
  const [first] = PROCESSES.map((args) => workers.use(ownProgram("mock_worker.ts", { args, env })));
  const url = await Promise.race([servedUrl(metrics), aborted(signal)]);
  if (url === undefined) return;
  console.log(`The live page: ${url}/`);
  console.log(`metrics: ${url}/metrics  nats: ${nats.url}  etcd: ${etcd.url}\n`);
  if (!await allSeen(metrics, { url, signal })) return;
  console.log(await tableOf(url));
  if (seconds === undefined && !Deno.stdout.isTerminal()) return;
  if (seconds !== undefined) setTimeout(() => stop.abort(), seconds * 1_000);
  const top = `npx -y deno@${Deno.version.deno} run -A main.ts top --url ${url}`;
  console.log(`In a terminal:       ${top}`);
  console.log(`A worker that hangs: kill -STOP ${first!.pid}    and again well: kill -CONT ${first!.pid}`);
  console.log(`The live page:       ${url}/    (Ctrl-C ends all)`);
  await aborted(signal);
}

/** Waits until everything is connected and all workers say their load; false when told to end before. */
async function allSeen(
  metrics: Program,
  { url, signal }: { url: string; signal: AbortSignal },
): Promise<boolean> {
  const deadline = performance.now() + SEEN_MS;
  while (!signal.aborted) {
    const { etcd, targets: [target] } = await (await fetch(`${url}/api/v1/fleet`)).json() as Fleet;
    if (etcd?.connected && target?.aggregate.workers.responding === WORKERS) return true;
    if (performance.now() > deadline) {
      throw new Error(`not all ${WORKERS} workers were seen within ${SEEN_MS / 1_000} s:\n${metrics.log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/** What `metrics top` says where there is no terminal. */
async function tableOf(url: string): Promise<string> {
  const [command = "", ...args] = ownCommand("main.ts", ["top", "--url", url]);
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`metrics top --url ${url}: ${decoder.decode(stderr).trim()}`);
  return decoder.decode(stdout);
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
