/**
 * Compares with the original `metrics` 0.1.1 (out of PyPI's `ai-dynamo`) on real servers: one fleet, the same moment,
 * every series side by side. Exit code 1 unless all are equal.
 */
import { eventSubject } from "../lib/dynamo/subject.ts";
import { HIT_RATE_EVENT, hitRateText } from "../lib/dynamo/hit_rate.ts";
import type { WorkerId } from "../lib/dynamo/worker_id.ts";
import { configureLogging, parseLogFilter } from "../lib/log.ts";
import { serviceSubject } from "../lib/micro/subjects.ts";
import { startMockWorker } from "../lib/mock/mock_workers.ts";
import { NatsLink } from "../lib/transport/nats.ts";
import { type ComparedSample, comparePages, comparisonText } from "./parity/compare.ts";
import { type OriginalProgram, originalProgram } from "./parity/original.ts";
import { PageReader } from "./page_reader.ts";
import { ownProgram, Program, servedUrl } from "./program.ts";
import { startEtcd } from "./servers/etcd.ts";
import { startNats } from "./servers/nats.ts";
import { freePorts } from "./servers/ports.ts";
import { USER } from "./nats_users.ts";

const MOCK = { namespace: "dynamo", component: "my_component", endpoint: "my_endpoint" };
const CAPTURED = { namespace: "dynamo", component: "VllmWorker", endpoint: "load_metrics" };
const CAPTURED_SERVICE = "dynamo_vllmworker_3f6fafd3";

interface Servers {
  readonly nats: string;
  readonly etcd: string;
  readonly link: NatsLink;
  readonly signal: AbortSignal;
}

configureLogging({
  program: "parity",
  filter: parseLogFilter("error"),
  format: "text",
  localTime: false,
  colors: false,
});
try {
  Deno.exit(await parity() ? 0 : 1);
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}

async function parity(): Promise<boolean> {
  const original = await originalProgram("0.1.1", "metrics");
  console.log(`original metrics 0.1.1, SHA-256 ${original.sha256}`);
  const stop = new AbortController();
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using link = new NatsLink({
    servers: [nats.url],
    name: "parity",
    auth: USER,
    signal: stop.signal,
  });
  const servers = { nats: nats.url, etcd: etcd.url, link, signal: stop.signal };
  const results = [
    await comparesMocks(original, servers),
    await comparesCaptures(original, servers),
    await showsOriginalMocks(servers),
    await followsOriginalMocks(servers),
  ];
  stop.abort();
  return results.every((equal) => equal);
}

/** Our mock workers, found by both: so a real Dynamo client finds our mock, and both say the same of it. */
async function comparesMocks(original: OriginalProgram, servers: Servers): Promise<boolean> {
  console.log("\nthree of our mock workers (--steady --release 0.1.1): series, original, ours");
  await using workers = startMockWorker({
    target: MOCK,
    nats: { servers: [servers.nats], auth: USER },
    etcd: { endpoints: [servers.etcd] },
    signal: servers.signal,
    workers: 3,
    seed: "1",
    steady: true,
    release: "0.1.1",
    events: false,
  });
  return await compares(original, { servers, target: MOCK, ids: () => workers.ids, workers: 3 });
}

/** Replies of real Python workers of 0.1.1, sent again to the byte. */
async function comparesCaptures(original: OriginalProgram, servers: Servers): Promise<boolean> {
  console.log("\ncaptured replies of two real workers of 0.1.1: series, original, ours");
  const replies = await Promise.all(
    [1, 2].map((n) =>
      Deno.readFile(new URL(`../tests/testdata/captures/0.1.1/worker/stats-reply-${n}.json`, import.meta.url))
    ),
  );
  using _ = servers.link.subscribe(serviceSubject("STATS", CAPTURED_SERVICE), ({ reply }) => {
    for (const bytes of replies) if (reply) servers.link.publish(reply, bytes);
  });
  const ids = () => ["4392876657294682534", "4392876657294682538"] as WorkerId[];
  const equal = await compares(original, { servers, target: CAPTURED, ids, workers: 2 });
  return equal;
}

async function compares(
  original: OriginalProgram,
  { servers, target, ids, workers }: {
    servers: Servers;
    target: typeof MOCK;
    ids: () => readonly WorkerId[];
    workers: number;
  },
): Promise<boolean> {
  const args = ["--component", target.component, "--endpoint", target.endpoint, "--host", "127.0.0.1"];
  const env = { NATS_SERVER: servers.nats, ETCD_ENDPOINTS: servers.etcd, RUST_BACKTRACE: "0" };
  const [port = 0] = freePorts(1);
  await using theirs = new Program({
    command: original.path,
    args: [...args, "--port", String(port)],
    env: { ...env, ...original.env, DYN_LOG: "debug", DYN_SDK_DISABLE_ANSI_LOGGING: "1" },
  });
  await using ours = ownProgram("main.ts", { args: [...args, "--port", "0"], env });
  await theirs.logged(/Successfully subscribed to KV hit rate events/);
  const urls = [await servedUrl(theirs), await servedUrl(ours)];
  const pages = () => Promise.all(urls.map(async (url) => await (await fetch(`${url}/metrics`)).text()));
  const areThere = (page: string) => page.match(/^llm_kv_blocks_active\{/gm)?.length === workers;
  await until(async () => (await pages()).every(areThere));

  ids().forEach((worker, index) => {
    for (const [islBlocks, overlapBlocks] of [[10 + index, 4], [3, 3 * index], [0, 0]] as const) {
      const event = hitRateText({ worker, islBlocks, overlapBlocks });
      servers.link.publish(eventSubject(target.namespace, HIT_RATE_EVENT), event);
    }
  });
  let compared: ComparedSample[] = [];
  const isComplete = () => compared.length === 5 * workers + 2 * workers + 2;
  await until(async () => {
    const [original = "", own = ""] = await pages();
    compared = comparePages(original, own);
    return isComplete() && compared.every(({ equal }) => equal);
  }).catch(() => {}); // What is not equal is printed.
  console.log(comparisonText(compared));
  const equal = compared.filter(({ equal }) => equal).length;
  console.log(`${equal} of ${compared.length} equal`);
  return isComplete() && equal === compared.length;
}

/** Mock workers of three releases beside two of ours, in one namespace: each original's numbers are ones it logged. */
async function showsOriginalMocks(servers: Servers): Promise<boolean> {
  console.log("\nmock workers of 0.1.0, 0.1.1, 0.3.0 and two of ours on one page of ours");
  const env = { NATS_SERVER: servers.nats, ETCD_ENDPOINTS: servers.etcd, RUST_BACKTRACE: "0" };
  const releases = ["0.1.0", "0.1.1", "0.3.0"];
  const programs = await Promise.all(releases.map((release) => originalProgram(release, "mock_worker")));
  await using ends = new AsyncDisposableStack();
  const mocks = programs.map(({ path, env: more }) =>
    ends.use(
      new Program({ command: path, args: [], env: { ...env, ...more, DYN_SDK_DISABLE_ANSI_LOGGING: "1" } }),
    )
  );
  const ours = ends.use(ownProgram("mock_worker.ts", { args: ["--workers", "2"], env }));
  const metrics = ends.use(ownProgram("main.ts", {
    args: ["--component", MOCK.component, "--endpoint", MOCK.endpoint, "--host", "127.0.0.1", "--port", "0"],
    env,
  }));
  const url = await servedUrl(metrics);
  let page = "";
  await until(async () => {
    page = await (await fetch(`${url}/metrics`)).text();
    return page.match(/^llm_kv_blocks_active\{/gm)?.length === 5;
  });
  await until(() => [...mocks, ours].every(({ log }) => log.includes("Stats:")));
  const owners = [...page.matchAll(/^llm_kv_blocks_active\{.*worker_id="(\d+)"\}/gm)].map(([, worker]) => {
    const numbers = numbersOf(page, worker!);
    const found = [...mocks, ours].flatMap((program, index) =>
      records(program.log).includes(numbers) ? [releases[index] ?? "ours"] : []
    );
    console.log(`worker ${worker}: ${numbers}: logged by ${found.join(", ") || "NOBODY"}`);
    return found.join();
  });
  const isRight = owners.toSorted().join() === ["0.1.0", "0.1.1", "0.3.0", "ours", "ours"].join();
  console.log(isRight ? "each shows a record of its own" : "NOT each shows a record of its own");
  return isRight;
}

/** Two mock workers of 0.1.1, one stopped and one killed: silent in time, gone with the lease, back when it goes on. */
async function followsOriginalMocks(servers: Servers): Promise<boolean> {
  console.log("\ntwo mock workers of 0.1.1, one stopped and one killed: seconds since, states on our page");
  const env = { NATS_SERVER: servers.nats, ETCD_ENDPOINTS: servers.etcd, RUST_BACKTRACE: "0" };
  const { path } = await originalProgram("0.1.1", "mock_worker");
  await using ends = new AsyncDisposableStack();
  const start = () => ends.use(new Program({ command: path, args: [], env }));
  const [stopped, killed] = [start(), start()];
  const metrics = ends.use(ownProgram("main.ts", {
    args: ["--component", MOCK.component, "--endpoint", MOCK.endpoint, "--host", "127.0.0.1", "--port", "0"],
    env,
  }));
  const url = await servedUrl(metrics);
  const page = async () => new PageReader(await (await fetch(`${url}/metrics`)).text());
  let sinceMs = performance.now();
  const reach = async (what: string, isSo: (page: PageReader) => boolean) => {
    await until(async () => isSo(await page()));
    const states = Object.values((await page()).states()).join(", ") || "none";
    console.log(`${what}: ${((performance.now() - sinceMs) / 1_000).toFixed(1)} s: ${states}`);
  };
  const count = (page: PageReader, state: string) =>
    Object.values(page.states()).filter((each) => each === state).length;
  await reach("both are there", (page) => page.loaded().length === 2);
  sinceMs = performance.now();
  Deno.kill(stopped.pid, "SIGSTOP");
  await reach(
    "one is stopped, and silent",
    (page) => count(page, "silent") === 1 && page.loaded().length === 1,
  );
  sinceMs = performance.now();
  Deno.kill(stopped.pid, "SIGCONT");
  await reach("it goes on, and responds", (page) => count(page, "responding") === 2);
  sinceMs = performance.now();
  await killed.stop("SIGKILL");
  await reach(
    "one is killed, and silent",
    (page) => count(page, "silent") === 1 && page.loaded().length === 1,
  );
  await reach("its lease has ended, and it is gone", (page) => Object.keys(page.states()).length === 1);
  return true;
}

/** What the page shows of a worker: blocks in use, slots in use, waiting. */
function numbersOf(page: string, worker: string): string {
  const value = (name: string) =>
    new RegExp(`^${name}\\{[^}]*worker_id="${worker}"\\} (\\S+)$`, "m").exec(page)?.[1];
  return [
    value("llm_kv_blocks_active"),
    value("llm_requests_active_slots"),
    value("dynamo_metrics_worker_requests_waiting"),
  ]
    .join("/");
}

/** The same of each record that a mock worker logged. */
function records(log: string): string[] {
  const number = (record: string, field: string) => new RegExp(`${field}: (\\d+)`).exec(record)?.[1];
  return log.split("\n").filter((line) => line.includes("Stats:")).map((record) =>
    ["kv_active_blocks", "request_active_slots", "num_requests_waiting"].map((field) => number(record, field))
      .join("/")
  );
}

/** Asks again until it is so. @throws after 15 s */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 15_000;
  while (!await isSo()) {
    if (performance.now() > endMs) throw new Error("Waited 15 s in vain");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
