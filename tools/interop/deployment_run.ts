import type { Channel } from "../../lib/events/observation.ts";
import { PageReader } from "../page_reader.ts";
import { Chats } from "./chats.ts";
import { between, compare, exactly, type Row, type Shown, toldAs } from "./comparison.ts";
import { Deployment, type DeploymentOptions, ENDPOINT, type Mocker, NAMESPACE } from "./deployment.ts";
import { pause, settle } from "./patience.ts";
import { channelRow, infoOf, numbersOf, SERIES, workersRow } from "./shown.ts";
import { MODEL } from "./tiny_model.ts";
import type { Venv } from "./venv.ts";
import { PAGE_AGE_MS, WatchedPage } from "./watched_page.ts";

/** A deployment to run, and how the page comes to know of it. */
export interface DeploymentRun extends DeploymentOptions {
  /** Exactly these ways lead to each worker. */
  readonly channels: readonly Channel[];
  /** Whether cards of the release say what a worker does. */
  readonly hasTypes: boolean;
  /** Whether workers' pages have the families of an engine. */
  readonly hasEnginePages: boolean;
  /** Whether `metrics` is told where the pages are, which no card says. */
  readonly needsWorkerUrls: boolean;
}

/** The mockers of one component, and our page of them. */
interface Group {
  /** What facts of it begin with, where there are several. */
  readonly name: string;
  readonly mockers: readonly Mocker[];
  readonly page: WatchedPage;
}

/** More requests than slots, so that some wait; the first ones last about 20 s, which is longer than the comparison. */
const CHATS = { count: 12, maxTokens: 2_000 };
/** What a worker may be ahead of those who read its answers. */
const BLOCKS_AHEAD = 1;

/** Runs the deployment: at rest, under load, after it, and with one worker killed. */
export async function compareDeployment(
  run: DeploymentRun,
  venv: Venv,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  await using deployment = await Deployment.start(venv, run, signal);
  const { mockers } = deployment;
  const args = run.needsWorkerUrls ? mockers.flatMap(({ pageUrl }) => ["--worker-url", pageUrl!]) : [];
  await using ends = new AsyncDisposableStack();
  const components = [...new Set(mockers.map(({ component }) => component))];
  const groups: Group[] = [];
  for (const component of components) {
    const target = { namespace: NAMESPACE, component, endpoint: ENDPOINT };
    groups.push({
      name: components.length > 1 ? `${component}: ` : "",
      mockers: mockers.filter((mocker) => mocker.component === component),
      page: ends.use(await WatchedPage.of(target, { args, env: deployment.env })),
    });
  }
  const decoding = groups.find(({ mockers }) => mockers[0]!.type !== "prefill")!;

  const rows: Row[] = [];
  for (const group of groups) {
    const look = async () => atRest(run, { ...group, release: venv.release }, await group.page.read());
    rows.push(...await settle(look, { withinMs: 20_000, signal }));
  }
  {
    await using chats = new Chats(deployment.frontend, { ...CHATS, signal });
    await pause(3_000, signal);
    const look = () => underLoad(run, { ...decoding, chats }, signal);
    rows.push(...await settle(look, { withinMs: 10_000, signal }));
    const { open } = chats;
    if (open < CHATS.count) {
      throw new Error(`only ${open} of ${CHATS.count} requests lasted until they were compared`);
    }
    await chats.ended(); // Not hung up on, for workers before 1.6 go on with those.
  }
  for (const group of groups) {
    const look = async () => afterLoad(run, group, await group.page.read());
    rows.push(...await settle(look, { withinMs: 20_000, signal }));
  }
  const killed = decoding.mockers.at(-1)!;
  await killed.program.stop("SIGKILL");
  const left = decoding.mockers.filter((mocker) => mocker !== killed);
  rows.push(
    ...await settle(
      async () => [workersRow("one killed: workers", left.map(({ id }) => id), await decoding.page.read())],
      {
        withinMs: 60_000, // A lease lasts 10 s, since 1.6.1 30 s.
        signal,
      },
    ),
  );
  return rows;
}

function atRest(
  run: DeploymentRun,
  { release, name, mockers }: Group & { readonly release: string },
  page: PageReader,
): Row[] {
  const ids = mockers.map(({ id }) => id);
  return [
    workersRow(`${name}workers`, ids, page),
    compare(
      `${name}KV blocks in total`,
      mockers.map(({ blocks }) => exactly(blocks)),
      numbersOf(page, SERIES.total, ids),
    ),
    compare(`${name}slots`, mockers.map(({ slots }) => exactly(slots)), numbersOf(page, SERIES.slots, ids)),
    compare(`${name}release`, mockers.map(() => toldAs(release)), infoOf(page, "release", ids)),
    compare(
      `${name}type`,
      mockers.map(({ type }) => exactly(run.hasTypes ? type : undefined)),
      infoOf(page, "worker_type", ids),
    ),
    compare(
      `${name}model`,
      mockers.map(() => exactly(MODEL)),
      infoOf(page, "model", ids),
    ),
  ];
}

/**
 * The blocks in use only grow while the requests last, so the page, which is some seconds old, has a number between
 * that of the worker's own page before and after.
 */
async function underLoad(
  run: DeploymentRun,
  { mockers, page: watched, chats }: Group & { readonly chats: Chats },
  signal: AbortSignal,
): Promise<Row[]> {
  const before = await ownPages(mockers);
  const least = chats.blocks;
  await pause(PAGE_AGE_MS, signal);
  const page = await watched.read();
  const most = chats.blocks + CHATS.count * BLOCKS_AHEAD;
  const after = await ownPages(mockers);
  const ids = mockers.map(({ id }) => id);
  const [running, waiting] = [numbersOf(page, SERIES.running, ids), numbersOf(page, SERIES.waiting, ids)];
  const open = mockers.map((_, n) => sum([running[n], waiting[n]]));
  const rows = [
    compare("loaded: running, all workers, as requests that get tokens", [exactly(chats.running)], [
      sum(running),
    ]),
    compare(
      "loaded: waiting, all workers, as requests that get none",
      [exactly(chats.open - chats.running)],
      [sum(waiting)],
    ),
    compare("loaded: running", mockers.map(({ slots }) => between(1, slots)), running),
    compare(
      "loaded: KV blocks in use",
      mockers.map(({ blocks }) => between(1, blocks)),
      numbersOf(page, SERIES.used, ids),
    ),
    compare(
      "loaded: KV blocks in use, all workers, as for these tokens",
      [between(least, most)],
      [sum(numbersOf(page, SERIES.used, ids))],
    ),
  ];
  if (!run.pages) return rows;
  const own = (name: string, labels = {}) => after.map((page) => exactly(page.value(name, labels)));
  rows.push(
    compare(
      "loaded: running and waiting, worker's own page",
      own("dynamo_component_inflight_requests", { dynamo_endpoint: ENDPOINT }),
      open,
    ),
  );
  if (!run.hasEnginePages) return rows;
  const usage = (pages: readonly PageReader[], n: number) =>
    pages[n]!.value("vllm:kv_cache_usage_perc") ?? NaN;
  const usages = mockers.map((_, n) => [usage(before, n), usage(after, n)] as const);
  rows.push(
    compare("loaded: running, worker's own page", own("vllm:num_requests_running"), running),
    compare("loaded: waiting, worker's own page", own("vllm:num_requests_waiting"), waiting),
    compare(
      "loaded: cache usage, worker's own page before and after",
      usages.map(([low, high]) => between(low, high)),
      numbersOf(page, SERIES.usage, ids),
    ),
    compare(
      "loaded: KV blocks in use, as that usage of all",
      mockers.map(({ blocks }, n) =>
        between(Math.round(usages[n]![0] * blocks), Math.round(usages[n]![1] * blocks))
      ),
      numbersOf(page, SERIES.used, ids),
    ),
  );
  return rows;
}

function afterLoad(run: DeploymentRun, { name, mockers }: Group, page: PageReader): Row[] {
  const ids = mockers.map(({ id }) => id);
  const none = mockers.map(() => exactly(0));
  // A mocker that only prefills never says its blocks, to libzmq's own subscriber neither: absent, not 0.
  const noBlocks = mockers.map(({ type }) => exactly(type === "prefill" ? undefined : 0));
  return [
    compare(`${name}load ended: running`, none, numbersOf(page, SERIES.running, ids)),
    compare(`${name}load ended: waiting`, none, numbersOf(page, SERIES.waiting, ids)),
    compare(`${name}load ended: KV blocks in use`, noBlocks, numbersOf(page, SERIES.used, ids)),
    channelRow(`${name}channels`, { ids, channels: run.channels }, page),
  ];
}

async function ownPages(mockers: readonly Mocker[]): Promise<PageReader[]> {
  const urls = mockers.flatMap(({ pageUrl }) => pageUrl ?? []);
  return await Promise.all(urls.map(async (url) => new PageReader(await (await fetch(url)).text())));
}

/** Undefined when one is missing. */
function sum(values: readonly Shown[]): number | undefined {
  return values.reduce<number | undefined>(
    (sum, value) => sum === undefined || typeof value !== "number" ? undefined : sum + value,
    0,
  );
}
