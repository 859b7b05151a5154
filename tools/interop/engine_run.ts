import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { compare, distinct, exactly, type Row, type Shown } from "./comparison.ts";
import { ENDPOINT, NAMESPACE } from "./deployment.ts";
import { COMPONENT, SHAPE, startEngine } from "./engine.ts";
import { heldEngine } from "./engine_hold.ts";
import { AT_ONCE, EngineLoad } from "./engine_load.ts";
import { quantitiesOf } from "./engine_quantities.ts";
import { hitRatio, readingsFor } from "./engine_reading.ts";
import { agreementRows, secondsOf, secondsText } from "./engine_seconds.ts";
import { compareStoppedCore, compareStoppedWorkers } from "./engine_stops.ts";
import { EngineWatch, type Sample, samplesOf, SECONDS, type Watched } from "./engine_watch.ts";
import { pause, settle } from "./patience.ts";
import { numbersOf, RANK_SERIES, rankNumbersOf, SERIES, workersRow } from "./shown.ts";
import type { Venv } from "./venv.ts";
import { PAGE_AGE_MS, WatchedPage } from "./watched_page.ts";

/** Samples under load, one a second, that can be compared. Those for which the machine was too busy are not among them. */
const LOADED = { wanted: 30, least: 15, withinMs: 180_000 } as const;

/** Runs the engine: before its first request, under load, after it, with stopped processes. */
export async function compareEngine(venv: Venv, signal: AbortSignal): Promise<readonly Row[]> {
  await using ends = new AsyncDisposableStack();
  const engine = await heldEngine() ?? ends.use(await startEngine(venv, signal));
  const watch = ends.use(new EngineWatch(engine));
  const atStart = await watch.until("the worker's page", () => true, { withinMs: 20_000, signal });
  const { staleAfter, stuckAfter } = SECONDS;
  const args = ["--no-nats", "--stale-after", `${staleAfter}`, "--stuck-after", `${stuckAfter}`];
  const target = { namespace: NAMESPACE, component: COMPONENT, endpoint: ENDPOINT };
  const page = ends.use(await WatchedPage.of(target, { args, env: engine.env }));
  const watched: Watched = { engine, id: engine.workerId, page, watch, signal };

  const isFresh = atStart.ranks.every(({ queries }) => queries === 0);
  const rows: Row[] = [];
  rows.push(...await settle(() => atRest(watched, "at rest"), { withinMs: 20_000, signal }));
  {
    await using load = new EngineLoad(engine.frontend, { count: AT_ONCE, signal });
    if (isFresh) rows.push(...await compareFirstRequests(watched));
    else console.log("  first requests: nothing is compared, for the engine has been asked before");
    rows.push(...await compareLoaded(watched));
    await load.end();
    console.log(`  ${load.answers} requests were answered, ${load.failures} failed`);
  }
  const hits = (page: Sample["page"]) => hitRows(watched, { page, from: atStart.ranks });
  rows.push(
    ...await settle(async () => [...await atRest(watched, "load ended"), ...hits(await page.read())], {
      withinMs: 20_000,
      signal,
    }),
  );
  rows.push(...await compareStoppedWorkers(watched), ...await compareStoppedCore(watched));
  return rows;
}

async function atRest({ id, page: watched }: Watched, when: string): Promise<Row[]> {
  const page = await watched.read();
  const row = (what: string, series: string, known: number) =>
    compare(`${when}: ${what}`, [exactly(known)], numbersOf(page, series, [id]));
  return [
    workersRow(`${when}: workers`, [id], page),
    compare(`${when}: state`, [exactly("responding")], [page.states()[id]]),
    row("KV blocks in total, all ranks", SERIES.total, SHAPE.ranks * SHAPE.blocks),
    row("slots, all ranks", SERIES.slots, SHAPE.ranks * SHAPE.slots),
    row("ranks expected", SERIES.ranksExpected, SHAPE.ranks),
    row("ranks heard", SERIES.ranksHeard, SHAPE.ranks),
    row("running", SERIES.running, 0),
    row("waiting", SERIES.waiting, 0),
    row("in flight", SERIES.inFlight, 0),
    row("KV blocks in use", SERIES.used, 0),
    row("usage", SERIES.usage, 0),
    rankRow(`${when}: usage by rank`, RANK_SERIES.usage, { id, page, known: 0 }),
    rankRow(`${when}: silent by rank`, RANK_SERIES.isSilent, { id, page, known: 0 }),
    compare(`${when}: stuck`, [exactly(undefined)], numbersOf(page, SERIES.stuckSeconds, [id])),
  ];
}

function rankRow(
  what: string,
  series: string,
  { id, page, known }: { readonly id: WorkerId; readonly page: Sample["page"]; readonly known: number },
): Row {
  const { ranks } = SHAPE;
  return compare(what, Array(ranks).fill(exactly(known)), rankNumbersOf(page, series, { id, ranks }));
}

/**
 * What the engine loads late, it loads while the first requests wait for it: they are in flight on the worker's page,
 * while its engine knows of none. Samples are compared if that was so for as long as our page may be old. Nothing is
 * compared if the requests ran before that.
 */
async function compareFirstRequests({ id, page, watch, signal }: Watched): Promise<Row[]> {
  const startMs = performance.now();
  const hasBegun = () => watch.readings.at(-1)!.ranks.some(({ running }) => running > 0);
  const samples = await samplesOf(page, {
    everyMs: 250,
    isEnough: () => hasBegun() || performance.now() > startMs + 120_000,
    signal,
  });
  const before = samples.filter(({ fromMs, toMs }) => {
    const own = readingsFor(watch.readings, { fromMs, toMs, ageMs: PAGE_AGE_MS });
    return own.length > 0 &&
      own.every(({ ranks, inFlight }) =>
        inFlight === AT_ONCE && ranks.every(({ running, waiting }) => running === 0 && waiting === 0)
      );
  });
  console.log(`  first requests: ${before.length} samples of the time before they ran are compared`);
  if (before.length === 0) return [];
  const all = (series: string): Shown => distinct(before.map(({ page }) => numbersOf(page, series, [id])[0]));
  return [
    compare("first requests: in flight", [exactly(`${AT_ONCE}`)], [all(SERIES.inFlight)]),
    compare("first requests: running", [exactly("0")], [all(SERIES.running)]),
    compare("first requests: waiting", [exactly("0")], [all(SERIES.waiting)]),
    compare("first requests: stuck", [exactly("–")], [all(SERIES.stuckSeconds)]),
  ];
}

/** Once a second, beside what the engine had in the time that our page may be old. */
async function compareLoaded({ id, page, watch, signal }: Watched): Promise<Row[]> {
  await watch.until("running requests", ({ ranks }) => ranks.some(({ running }) => running > 0), {
    withinMs: 120_000,
    signal,
  });
  await pause(PAGE_AGE_MS + 1_000, signal);
  const startMs = performance.now();
  const quantities = quantitiesOf(id);
  const seconds = (samples: readonly Sample[]) =>
    secondsOf(quantities, { samples, readings: watch.readings, ageMs: PAGE_AGE_MS });
  const samples = await samplesOf(page, {
    everyMs: 1_000,
    isEnough: (samples) =>
      seconds(samples).length >= LOADED.wanted || performance.now() > startMs + LOADED.withinMs,
    signal,
  });
  const compared = seconds(samples);
  console.log(`  loaded; in brackets what the engine had in the ${PAGE_AGE_MS / 1_000} s before:`);
  console.log(secondsText(quantities, compared));
  if (compared.length < LOADED.least) {
    throw new Error(`the machine was too busy to compare more than ${compared.length} samples under load`);
  }
  return agreementRows("loaded", { quantities, seconds: compared });
}

/** Hits over queries since our first look at the worker's page, which is less than five minutes ago. */
function hitRows(
  { id, watch }: Watched,
  { page, from }: { readonly page: Sample["page"]; readonly from: EngineWatch["readings"][number]["ranks"] },
): Row[] {
  const { ranks } = watch.readings.at(-1)!;
  const byRank = ranks.map((rank, n) => exactly(hitRatio([from[n]!], [rank])));
  return [
    compare(
      "load ended: prefix hits over queries",
      [exactly(hitRatio(from, ranks))],
      numbersOf(page, SERIES.hitRatio, [id]),
    ),
    compare(
      "load ended: prefix hits over queries by rank",
      byRank,
      rankNumbersOf(page, RANK_SERIES.hitRatio, { id, ranks: ranks.length }),
    ),
  ];
}
