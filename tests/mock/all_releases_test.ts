import assert from "node:assert/strict";
import type { Load } from "../../lib/dynamo/load.ts";
import { type MockWorkers, startMockWorker } from "../../lib/mock/mock_workers.ts";
import { MockNumbers } from "../../lib/mock/numbers.ts";
import { hasEventChannels, type Release, RELEASES, releaseTraits } from "../../lib/mock/releases.ts";
import { etcdKeys } from "../../tools/etcd_gateway.ts";
import { USER } from "../../tools/nats_users.ts";
import { PageReader } from "../../tools/page_reader.ts";
import { ownProgram, type Program } from "../../tools/program.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { eventually } from "../helpers/eventually.ts";
import { type MetricsProcess, startMetrics } from "../helpers/metrics_process.ts";

const TARGET = { namespace: "dynamo", component: "backend", endpoint: "generate" };
const NAMED = ["--component", TARGET.component, "--endpoint", TARGET.endpoint];
const ALL = Object.keys(RELEASES) as Release[];
/** Their keys outlive them, as those of killed processes do: until the lease ends, but for 1.6.1 in ten seconds. */
const PROCESSES: readonly Release[] = ["0.1.1", "0.7.1", "0.9.1", "1.4.2"];

/** What each is taken for, by what it shows. */
const TAKEN_FOR: Readonly<Record<Release, string>> = {
  "0.1.0": "0.1.0",
  "0.1.1": "0.1.1-0.2.0",
  "0.2.1": "0.2.1",
  "0.3.0": "0.3.0-0.3.1",
  "0.3.2": "0.3.2-0.5.1",
  "0.6.0": "0.6.0",
  "0.7.1": "0.7.1",
  "0.8.1": "0.8.1-1.1.1",
  "0.9.1": "0.9.1",
  "1.2.1": "1.1.1-1.2.1",
  "1.4.2": "1.4.2-1.5.1",
  "1.6.1": "1.5.1+",
};

/** What a worker that was started with its release as the seed has, by its own numbers. */
function loadOf(release: Release, seed: string): Load {
  const { loadShape: shape } = releaseTraits(release);
  return new MockNumbers({ seed, index: 0, shape, steady: true }).nextLoad();
}

const seedOf = (release: Release) => String(1 + ALL.indexOf(release));

/** What a release says of its load by its own planes: blocks alone before forward passes, totals where there is a card. */
function expected(release: Release): Record<string, number | undefined> {
  const load = loadOf(release, seedOf(release));
  const { loadEvents, card } = releaseTraits(release);
  const saysTotals = card !== undefined || loadEvents === undefined || release === "0.7.1";
  const saysRequests = release !== "0.8.1" && release !== "0.9.1";
  return {
    llm_kv_blocks_active: load.activeBlocks,
    llm_kv_blocks_total: saysTotals ? load.totalBlocks : undefined,
    llm_requests_total_slots: saysTotals ? load.totalSlots : undefined,
    llm_requests_active_slots: saysRequests ? load.activeSlots : undefined,
    dynamo_metrics_worker_requests_waiting: saysRequests ? load.requestsWaiting : undefined,
  };
}

async function pageOf(metrics: MetricsProcess): Promise<PageReader> {
  return new PageReader(await metrics.page());
}

/** Waits until these workers, and no others, have their own numbers on the page. */
async function shown(metrics: MetricsProcess, workers: ReadonlyMap<Release, string>): Promise<void> {
  await eventually(async () => {
    const page = await pageOf(metrics);
    assert.deepEqual(page.loaded().toSorted(), [...workers.values()].toSorted());
    for (const [release, id] of workers) {
      const numbers = expected(release);
      const own = Object.keys(numbers).map((name) => [name, page.byWorker(name)[id]]);
      assert.deepEqual(Object.fromEntries(own), numbers, release);
      assert.equal(page.states()[id], "responding", release);
      const as = { worker_id: id, release: TAKEN_FOR[release] };
      assert.equal(page.value("dynamo_metrics_worker_info", as), 1, release);
    }
  }, { timeoutMs: 30_000 });
}

Deno.test("workers of all twelve releases are on one page, each with its own numbers, and each that is killed or ends leaves", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  const env = { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url };
  await using metrics = await startMetrics({
    args: [...NAMED, "--poll-interval", "0.2", "--stale-after", "3"],
    env,
  });
  await using ends = new AsyncDisposableStack();
  const own = new Map<Release, MockWorkers>();
  const processes = new Map<Release, Program>();
  for (const release of ALL) {
    if (PROCESSES.includes(release)) {
      const args = [...NAMED, "--release", release, "--seed", seedOf(release), "--steady"];
      processes.set(release, ends.use(ownProgram("mock_worker.ts", { args, env })));
    } else {
      own.set(release, ends.use(start(release, { nats: nats.url, etcd: etcd.url })));
    }
  }

  const ids = await eventually(async () => {
    const found = new Map<Release, string>([...own].map(([release, { ids }]) => [release, ids[0]!]));
    assert.ok([...found.values()].every((id) => id !== undefined));
    const { states, byWorker } = await everyone(metrics);
    assert.equal(Object.keys(states).length, ALL.length);
    const others = Object.keys(states).filter((id) => ![...found.values()].includes(id));
    for (const release of processes.keys()) {
      const blocks = loadOf(release, seedOf(release)).activeBlocks;
      const id = others.find((id) => byWorker[id] === blocks);
      assert.ok(id !== undefined, `nobody has the blocks of ${release}`);
      found.set(release, id);
    }
    assert.equal(new Set(found.values()).size, ALL.length);
    return found;
  }, { timeoutMs: 30_000 });
  await shown(metrics, ids);

  const left = new Map(ids);
  for (const release of ALL) {
    left.delete(release);
    const program = processes.get(release);
    if (program === undefined) {
      await own.get(release)![Symbol.asyncDispose]();
      const lease = ids.get(release)!;
      assert.deepEqual((await etcdKeys(etcd.url)).filter((key) => key.lease === lease), [], release);
    } else {
      await program.stop("SIGKILL");
    }
    await shown(metrics, left);
  }
  const lease = { timeoutMs: 30_000 }; // The last one was killed: it goes with its lease of ten seconds.
  await eventually(async () => assert.deepEqual((await pageOf(metrics)).states(), {}), lease);
  assert.deepEqual(await etcdKeys(etcd.url), []);
});

async function everyone(metrics: MetricsProcess) {
  const page = await pageOf(metrics);
  return { states: page.states(), byWorker: page.byWorker("llm_kv_blocks_active") };
}

function start(release: Release, options: StartOptions): MockWorkers {
  const { nats, etcd, ...more } = options;
  return startMockWorker({
    target: TARGET,
    nats: { servers: [nats], auth: USER },
    ...(etcd !== undefined && { etcd: { endpoints: [etcd] } }),
    signal: new AbortController().signal,
    seed: seedOf(release),
    steady: true,
    release,
    ...more,
  });
}

interface StartOptions
  extends Partial<Pick<Parameters<typeof startMockWorker>[0], "eventPlane" | "systemPort">> {
  readonly nats: string;
  readonly etcd?: string;
}

for (const release of ALL.filter((release) => hasEventChannels(releaseTraits(release)))) {
  Deno.test(`the numbers of ${release} are the same over NATS, over ZMQ without any NATS, and on its page`, async () => {
    await using etcd = await startEtcd();
    for (const eventPlane of ["zmq", "nats"] as const) {
      await using nats = eventPlane === "nats" ? await startNats() : undefined;
      const natsUrl = nats?.url ?? "nats://127.0.0.1:1";
      await using mock = start(release, { nats: natsUrl, etcd: etcd.url, eventPlane, systemPort: 0 });
      await using metrics = await startMetrics({
        args: [...NAMED, "--poll-interval", "0.2", "--stale-after", "3"],
        env: { NATS_SERVER: natsUrl, ETCD_ENDPOINTS: etcd.url },
      });
      const [id = ""] = await eventually(() => {
        assert.equal(mock.ids.length, 1);
        return mock.ids;
      });
      await shown(metrics, new Map([[release, id]]));
      const page = await pageOf(metrics);
      const channels = [`event_${eventPlane}`, "card"].toSorted();
      const { withVllm } = releaseTraits(release).page!;
      await eventually(async () => {
        const now = await pageOf(metrics);
        const seen = ["event_nats", "event_zmq", "http", "card", "stats"]
          .filter((channel) =>
            now.values("dynamo_metrics_worker_channel", { worker_id: id, channel }).length > 0
          );
        assert.deepEqual(seen.toSorted(), [...channels, ...(withVllm ? ["http"] : [])].toSorted());
      });
      const load = loadOf(release, seedOf(release));
      assert.deepEqual(page.byWorker("dynamo_metrics_worker_kv_cache_usage_ratio"), {
        [id]: load.activeBlocks / load.totalBlocks,
      });
      if (eventPlane === "zmq") assert.doesNotMatch(metrics.log(), /Cannot reach NATS/);
    }
  });
}
