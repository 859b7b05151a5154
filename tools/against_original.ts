import { PageReader } from "./page_reader.ts";
import { originalProgram } from "./parity/original.ts";
import { ownProgram, Program, servedUrl } from "./program.ts";
import { startEtcd } from "./servers/etcd.ts";
import { startNats } from "./servers/nats.ts";
import { freePorts } from "./servers/ports.ts";

const TARGET_FLAGS = ["--component", "my_component", "--endpoint", "my_endpoint", "--host", "127.0.0.1"];

/**
 * The original `metrics` 0.1.1 and ours on one fleet of three mock workers: one is killed, one is stopped, NATS goes and
 * returns. After each, three lines: what happened, what the original's page has, what ours has. An abort
 * rejects, with everything closed.
 */
export async function compareUnderFaults(
  { print, signal }: { print: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const original = await originalProgram("0.1.1", "metrics");
  await using nats = await startNats();
  await using etcd = await startEtcd();
  const env = { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url, RUST_BACKTRACE: "0" };
  const [port = 0] = freePorts(1);
  await using ends = new AsyncDisposableStack();
  const theirs = ends.use(
    new Program({
      command: original.path,
      args: [...TARGET_FLAGS, "--port", String(port)],
      env: { ...env, DYN_SDK_DISABLE_ANSI_LOGGING: "1" },
    }),
  );
  const ours = ends.use(ownProgram("main.ts", { args: [...TARGET_FLAGS, "--port", "0"], env }));
  const [theirUrl, ourUrl] = [await servedUrl(theirs), await servedUrl(ours)];
  const pages = async () => ({ theirs: await read(theirUrl), ours: await read(ourUrl) });

  /** Waits until the pages are so, and prints them in three lines. */
  const tell = async (what: string, areSo: (pages: { theirs: PageReader; ours: PageReader }) => boolean) => {
    const endMs = performance.now() + 30_000;
    let now = await pages();
    while (!areSo(now)) {
      signal.throwIfAborted();
      if (performance.now() > endMs) throw new Error(`Waited 30 s in vain: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
      now = await pages();
    }
    print(what);
    print(`  original: ${describeOriginal(now.theirs)}`);
    print(`  ours:     ${describeOurs(now.ours)}`);
  };

  const workers = [];
  for (let n = 1; n <= 3; n++) {
    const worker = ends.use(ownProgram("mock_worker.ts", { args: ["--seed", String(n), "--steady"], env }));
    await worker.logged(/Stats:/);
    workers.push(worker);
  }
  const [killed, stopped] = workers;
  await tell(
    "three workers",
    ({ theirs, ours }) => theirs.loaded().length === 3 && ours.loaded().length === 3,
  );
  await killed!.stop("SIGKILL");
  await tell("one worker is killed", ({ ours }) => ours.loaded().length === 2);
  await tell("…and its lease has ended", ({ ours }) => Object.keys(ours.states()).length === 2);
  Deno.kill(stopped!.pid, "SIGSTOP");
  await tell("another worker hangs", ({ ours }) => ours.loaded().length === 1);
  Deno.kill(stopped!.pid, "SIGCONT");
  await nats.stop();
  await tell("NATS is stopped", ({ ours }) => ours.loaded().length === 0);
  await nats.start();
  await tell("NATS is back", ({ ours }) => ours.loaded().length === 2);
}

async function read(url: string): Promise<PageReader> {
  return new PageReader(await (await fetch(`${url}/metrics`)).text() || "\n");
}

function describeOriginal(page: PageReader): string {
  return `${blocks(page)}, load average ${page.value("llm_load_avg") ?? "–"}`;
}

function describeOurs(page: PageReader): string {
  const others = Object.entries(page.states()).filter(([, state]) => state !== "responding");
  const named = others.map(([worker, state]) => `worker …${worker.slice(-3)} ${state}`);
  const away = page.value("dynamo_metrics_nats_connected") === 0 ? ["NATS not connected"] : [];
  const average = page.value("llm_load_avg");
  return [blocks(page), `load average ${average ?? "–"}`, ...named, ...away].join(", ");
}

function blocks(page: PageReader): string {
  const workers = Object.entries(page.byWorker("llm_kv_blocks_active"));
  if (workers.length === 0) return "no worker's blocks";
  return `blocks ${workers.map(([worker, value]) => `…${worker.slice(-3)}: ${value}`).join(", ")}`;
}
