import { INSTANCE_KEY_LAYOUTS, instanceKeyPrefix, parseInstanceKey } from "../../lib/dynamo/instance_key.ts";
import type { Target } from "../../lib/dynamo/target.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import type { Channel } from "../../lib/events/observation.ts";
import { etcdKeys } from "../etcd_gateway.ts";
import { Program } from "../program.ts";
import { startEtcd } from "../servers/etcd.ts";
import { startNats } from "../servers/nats.ts";
import { compare, exactly, type Row, toldAs } from "./comparison.ts";
import { settle, sought } from "./patience.ts";
import { channelRow, infoOf, numbersOf, SERIES, workersRow } from "./shown.ts";
import type { Venv } from "./venv.ts";
import { WatchedPage } from "./watched_page.ts";

/** Workers of one release that publish what they are told, and how the page comes to know of it. */
export interface WorkerRun {
  /** Where the release has the load. */
  readonly endpoint: "load_metrics" | "generate";
  /** Exactly these ways lead to each worker. */
  readonly channels: readonly Channel[];
}

const COMPONENT = "VllmWorker";
const SCRIPT = new URL("worker.py", import.meta.url).pathname;

/** A load record as Dynamo's publishers take it. Ratios are of 32 bits, so these are such as those keep exactly. */
type Record = Readonly<{ [field in keyof typeof SHOWN_AS]: number }>;

const SHOWN_AS = {
  kv_active_blocks: SERIES.used,
  kv_total_blocks: SERIES.total,
  request_active_slots: SERIES.running,
  request_total_slots: SERIES.slots,
  num_requests_waiting: SERIES.waiting,
  gpu_cache_usage_perc: SERIES.usage,
  gpu_prefix_cache_hit_rate: SERIES.hitRate,
} as const;

/** What each worker publishes in turn; the last one stays. */
const TOLD: readonly (readonly Record[])[] = [
  [record([40, 1_000, 3, 100, 2, 0.5, 0.25]), record([52, 1_000, 4, 100, 0, 0.625, 0.375])],
  [record([7, 2_000, 1, 50, 9, 0.125, 0.75]), record([0, 2_000, 0, 50, 5, 0, 0.875])],
];

function record(values: readonly number[]): Record {
  return Object.fromEntries(Object.keys(SHOWN_AS).map((field, n) => [field, values[n]!])) as Record;
}

/** Runs the workers until the page has their last records, and kills one. */
export async function compareWorkers(
  run: WorkerRun,
  venv: Venv,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  await using ends = new AsyncDisposableStack();
  const etcd = ends.use(await startEtcd());
  const nats = ends.use(await startNats({ jetstream: true }));
  const env = { ETCD_ENDPOINTS: etcd.url, NATS_SERVER: nats.url };
  const target = { namespace: "dynamo", component: COMPONENT, endpoint: run.endpoint };
  const page = ends.use(await WatchedPage.of(target, { args: [], env }));

  const workers: { readonly id: WorkerId; readonly program: Program }[] = [];
  for (const records of TOLD) {
    const args = [SCRIPT, COMPONENT, JSON.stringify(records)];
    const program = ends.use(new Program({ command: venv.python, args, env, patienceMs: 10_000 }));
    const id = await sought("a worker's key", async () => {
      if (program.ended) throw new Error(`a worker ended by itself:\n${program.log.slice(-2_000)}`);
      return (await registeredIds(etcd.url, target)).find((id) => !workers.some((other) => other.id === id));
    }, { withinMs: 60_000, signal });
    workers.push({ id, program });
  }
  const ids = workers.map(({ id }) => id);

  const told = async () => {
    const shown = await page.read();
    const fields = Object.entries(SHOWN_AS) as [keyof Record, string][];
    return [
      workersRow("workers", ids, shown),
      ...fields.map(([field, series]) =>
        compare(field, TOLD.map((records) => exactly(records.at(-1)![field])), numbersOf(shown, series, ids))
      ),
      compare("release", ids.map(() => toldAs(venv.release)), infoOf(shown, "release", ids)),
      channelRow("channels", { ids, channels: run.channels }, shown),
    ];
  };
  const rows = [...await settle(told, { withinMs: 20_000, signal })];
  const [killed, ...left] = workers;
  await killed!.program.stop("SIGKILL");
  const gone = async () => [workersRow("one killed: workers", left.map(({ id }) => id), await page.read())];
  rows.push(...await settle(gone, { withinMs: 40_000, signal }));
  return rows;
}

/** Whom etcd lists in the layout of any release, by its HTTP gateway. */
async function registeredIds(etcd: string, target: Target): Promise<WorkerId[]> {
  const prefixes = INSTANCE_KEY_LAYOUTS.map((layout) => instanceKeyPrefix(layout, target));
  const keys = await etcdKeys(etcd);
  return prefixes.flatMap((prefix) => keys.flatMap(({ key }) => parseInstanceKey(key, prefix) ?? []));
}
