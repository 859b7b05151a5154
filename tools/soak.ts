/**
 * Random faults on real servers for a long time, ten minutes unless `--seconds` says otherwise, drawn from `--seed`. Prints
 * each fault, and as the last line a verdict as JSON: was the page right at the end, how long did the longest answer of
 * `/metrics` take, did memory grow.
 */
import { parseArgs } from "node:util";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { etcdKeys } from "./etcd_gateway.ts";
import { Heap } from "./heap.ts";
import { INSPECTABLE } from "./inspector.ts";
import { PageReader } from "./page_reader.ts";
import { ownProgram, type Program, servedUrl } from "./program.ts";
import { type EtcdServer, startEtcd } from "./servers/etcd.ts";
import { type NatsServer, startNats } from "./servers/nats.ts";
import { taskArgs } from "./task_args.ts";

const MIB = 1_048_576;
const LONGEST_ANSWER_MS = 100;
/** What memory may grow by in a minute, after the first. */
const FLAT_MIB_A_MINUTE = 0.5;

interface Fleet {
  readonly nats: NatsServer;
  readonly etcd: EtcdServer;
  readonly workers: Program[];
  readonly startWorker: () => Program;
}

/** A fault, and what undoes it. */
interface Fault {
  readonly name: string;
  readonly strike: (
    fleet: Fleet,
    pick: (below: number) => number,
  ) => Promise<(() => Promise<unknown>) | undefined>;
}

const FAULTS: readonly Fault[] = [
  { name: "NATS is killed", strike: async ({ nats }) => (await nats.kill(), () => nats.start()) },
  { name: "NATS is stopped", strike: async ({ nats }) => (await nats.stop(), () => nats.start()) },
  {
    name: "NATS hangs",
    strike: async ({ nats }) => (await nats.pause(), () => Promise.resolve(nats.resume())),
  },
  { name: "etcd is killed", strike: async ({ etcd }) => (await etcd.kill(), () => etcd.start()) },
  { name: "etcd is stopped", strike: async ({ etcd }) => (await etcd.stop(), () => etcd.start()) },
  {
    name: "etcd hangs",
    strike: async ({ etcd }) => (await etcd.pause(), () => Promise.resolve(etcd.resume())),
  },
  { name: "etcd is wiped", strike: async ({ etcd }) => (await etcd.wipe(), undefined) },
  {
    name: "a worker is killed, another comes",
    strike: async ({ workers, startWorker }, pick) => {
      const index = pick(workers.length);
      await workers[index]!.stop("SIGKILL");
      workers[index] = startWorker();
      return undefined;
    },
  },
  {
    name: "a worker ends, another comes",
    strike: async ({ workers, startWorker }, pick) => {
      const index = pick(workers.length);
      await workers[index]!.stop();
      workers[index] = startWorker();
      return undefined;
    },
  },
  {
    name: "a worker hangs",
    strike: ({ workers }, pick) => {
      const { pid } = workers[pick(workers.length)]!;
      Deno.kill(pid, "SIGSTOP");
      return Promise.resolve(() => Promise.resolve(Deno.kill(pid, "SIGCONT")));
    },
  },
];

const { values } = parseArgs({
  args: [...taskArgs],
  options: { seconds: { type: "string", default: "600" }, seed: { type: "string", default: "1" } },
});
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
if (!(seconds >= 30) || !Number.isInteger(seed)) {
  console.error("error: --seconds must be a number from 30, --seed a whole number");
  Deno.exit(2);
}
const verdict = await soak();
console.log(JSON.stringify(verdict));
Deno.exit(verdict.isRight && verdict.isFlat && verdict.isFast ? 0 : 1);

async function soak() {
  const generator = xoroshiro128plus(seed);
  const pick = (below: number) => uniformInt(generator, 0, below - 1);
  await using ends = new AsyncDisposableStack();
  const nats = ends.use(await startNats());
  const etcd = ends.use(await startEtcd());
  const env = { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url };
  const startWorker = () =>
    ends.use(ownProgram("mock_worker.ts", { args: [], env: { ...env, DYN_LOG: "warn" } }));
  const workers = Array.from({ length: 4 }, startWorker);
  const metrics = ends.use(ownProgram("main.ts", {
    denoFlags: [INSPECTABLE],
    args: ["--component", "my_component", "--endpoint", "my_endpoint", "--host", "127.0.0.1", "--port", "0"]
      .concat("--poll-interval", "0.5"),
    env,
  }));
  const heap = ends.use(await Heap.of(metrics));
  const url = await servedUrl(metrics);
  const fleet = { nats, etcd, workers, startWorker };

  let longestMs = 0;
  let wrongPages = 0;
  const probe = setInterval(async () => {
    const startMs = performance.now();
    const page = await fetch(`${url}/metrics`).then((response) => response.text(), () => undefined);
    longestMs = Math.max(longestMs, performance.now() - startMs);
    if (page === undefined || /NaN/.test(page)) wrongPages++;
  }, 250);
  const memory: { minute: number; mib: number }[] = [];
  const startMs = performance.now();
  const weigh = async () => {
    const mib = await heap.usedBytes() / MIB;
    memory.push({ minute: (performance.now() - startMs) / 60_000, mib });
    say(`memory ${mib.toFixed(2)} MiB`);
  };
  say(`seed ${seed}, ${seconds} s`);
  await wait(5_000);
  await weigh();
  let weighAtMs = performance.now() + 30_000;
  let faults = 0;
  const died = () => [metrics, ...workers].find(({ ended }) => ended);
  while (performance.now() - startMs < seconds * 1_000 && wrongPages === 0 && !died()) {
    const fault = FAULTS[pick(FAULTS.length)]!;
    say(fault.name);
    const undo = await fault.strike(fleet, pick);
    faults++;
    await wait(500 + pick(6_000));
    await undo?.();
    await wait(500 + pick(4_000));
    if (performance.now() >= weighAtMs) {
      await weigh();
      weighAtMs += 30_000;
    }
  }
  clearInterval(probe);
  if (died()) console.log(`A program ended by itself, and said last:\n${died()!.log.slice(-3_000)}`);
  const isRight = !died() && await isPageRight({ url, etcd, count: workers.length }) && wrongPages === 0;
  await weigh();
  const slope = slopeOf(memory.filter(({ minute }) => minute >= 1));
  return {
    seed,
    seconds,
    faults,
    isRight,
    longestAnswerMs: Math.round(longestMs),
    isFast: longestMs <= LONGEST_ANSWER_MS,
    memoryMib: memory.map(({ mib }) => Number(mib.toFixed(2))),
    slopeMibAMinute: Number(slope.toFixed(3)),
    isFlat: slope <= FLAT_MIB_A_MINUTE,
  };

  function say(what: string): void {
    console.log(`${((performance.now() - startMs) / 1_000).toFixed(1).padStart(6)} s  ${what}`);
  }
}

/** When all is well again, the page has the workers that etcd lists, each with load, and no other. */
async function isPageRight(
  { url, etcd, count }: { url: string; etcd: EtcdServer; count: number },
): Promise<boolean> {
  const endMs = performance.now() + 40_000;
  while (performance.now() < endMs) {
    const keys = (await etcdKeys(etcd.url)).map(({ key }) => BigInt(`0x${key.split(":").at(-1)}`).toString());
    const page = new PageReader(await (await fetch(`${url}/metrics`)).text());
    const isSame = keys.toSorted().join() === page.loaded().toSorted().join();
    if (keys.length === count && isSame && Object.keys(page.states()).length === count) return true;
    await wait(500);
  }
  return false;
}

/** The slope of the line through the points with the least squares, in MiB a minute. */
function slopeOf(points: readonly { minute: number; mib: number }[]): number {
  if (points.length < 2) return 0;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(({ minute }) => minute)), mean(points.map(({ mib }) => mib))];
  const over = points.reduce((sum, { minute, mib }) => sum + (minute - x) * (mib - y), 0);
  return over / points.reduce((sum, { minute }) => sum + (minute - x) ** 2, 0);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
