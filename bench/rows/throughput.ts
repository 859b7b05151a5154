import { join } from "node:path";
import { INSPECTABLE, Inspector } from "../../tools/inspector.ts";
import { Child } from "../child.ts";
import type { ReadersReport } from "../fleet/readers.ts";
import { HttpReader } from "../http_reader.ts";
import { type Measure, median, ratios, type RowResult } from "../measure.ts";
import { cpuMs, CpuShares } from "../probes/cpu.ts";
import { profiled, profileText } from "../probes/profile.ts";
import { Deployment } from "../programs/deployment.ts";
import type { Row, RowContext } from "../row.ts";
import { pause } from "../scraping.ts";

const SIZES = [10, 1_000, 10_000];
const FORMS = ["plain", "gzip"] as const;
/** Connections at once. */
const READERS = 8;
/** With so few rounds serving is all that there is to do. */
const SELDOM = ["--poll-interval", "60"];

/**
 * How many pages a second the program serves, beside a bare `Deno.serve` that has the same bytes: the readers take turns
 * between the two, both warm. The program polls only once a minute here, so that what is compared is the serving; what a
 * round and its page cost stands in the other rows.
 */
export const THROUGHPUT: Row = {
  name: "throughput",
  what:
    "/metrics, plain and gzip, beside a bare Deno.serve with the same bytes; rendering with many scrapers",
  run: async (context) => {
    const results = [];
    for (const workers of SIZES) results.push(await measure(workers, context));
    const profile = await profileOwn(SIZES[0]!, context); // With small pages it is the program's own work that counts.
    const rendering = await measureRendering(context);
    return {
      measures: [...results.flatMap(({ measures }) => measures), ...rendering],
      cpu: results.at(-1)!.cpu,
      remarks: [],
      profile,
    };
  },
};

async function measure(
  workers: number,
  { quick, say }: RowContext,
): Promise<Pick<RowResult, "measures" | "cpu">> {
  await using deployment = await Deployment.start({ workers, args: SELDOM });
  const { own } = deployment;
  await using readers = new Child("fleet/readers.ts", { readers: READERS });
  const folder = await Deno.makeTempDir({ prefix: "bench-" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
  const measures: Measure[] = [];
  let cpu = {};
  for (const form of FORMS) {
    const at = (what: string) => `throughput/${workers}/${form}/${what}`;
    const page = join(folder, form);
    const { body, encoding } = await readOnce(own.url, form);
    if (form === "gzip" && encoding !== "gzip") {
      measures.push({ name: at("ratio"), unit: "ratio", values: [], missing: "the program packs nothing" });
      continue;
    }
    await Deno.writeFile(page, body);
    await using floor = new Child("floors/serve.ts", { page, ...(encoding && { encoding }) });
    const { port } = await floor.ask<{ port: number }>();
    const bare = `http://127.0.0.1:${port}/metrics`;
    const shares = new CpuShares({ "program": own.program.pid, "floor": floor.pid, "readers": readers.pid });
    const rates: { own: number; floor: number }[] = [];
    const load = async (url: string) =>
      (await readers.ask<ReadersReport>(`${url} ${form} ${quick ? 300 : 4_000}`)).perSecond;
    await load(own.url);
    await load(bare);
    for (let n = 0; n < (quick ? 4 : 8); n++) {
      rates.push({ own: await load(own.url), floor: await load(bare) });
    }
    cpu = shares.percent();
    const [ours, floors] = [rates.map(({ own }) => own), rates.map(({ floor }) => floor)];
    measures.push(
      { name: at("ratio"), unit: "ratio", values: ratios(ours, floors) },
      { name: at("own"), unit: "per second", values: ours },
      { name: at("floor"), unit: "per second", values: floors },
      { name: at("bytes"), unit: "bytes", values: [body.length] },
    );
    say(`${workers} workers, ${form}: ${median(ours).toFixed(0)}/s, bare ${median(floors).toFixed(0)}/s`);
  }
  return { measures, cpu };
}

/** Of another process, so that the one that is compared has no inspector. */
async function profileOwn(workers: number, { quick }: RowContext): Promise<string[]> {
  await using deployment = await Deployment.start({ workers, args: SELDOM, denoFlags: [INSPECTABLE] });
  const { own } = deployment;
  using inspector = await Inspector.of(own.program);
  await using readers = new Child("fleet/readers.ts", { readers: READERS });
  const load = (ms: number) => readers.ask(`${own.url} gzip ${ms}`);
  await load(500);
  return profileText(await profiled(inspector, () => load(quick ? 1_000 : 10_000)));
}

async function readOnce(url: string, form: typeof FORMS[number]) {
  using reader = await HttpReader.connect(url);
  const { body, encoding } = await reader.read(HttpReader.request(url, { gzip: form === "gzip" }));
  return { body: body.slice(), encoding };
}

/** So many scrapers once a second. */
const MANY = 10;
const RENDERED_WORKERS = 1_000;

/**
 * What a page costs the program with ten scrapers over what it costs with one, at 1 s polls. Each scrape of the same round
 * costs the sending of its bytes, and that is taken off: a `HEAD` is answered from the same page without a body.
 */
async function measureRendering({ quick }: RowContext): Promise<Measure[]> {
  await using deployment = await Deployment.start({ workers: RENDERED_WORKERS });
  const { own } = deployment;
  const head = async () => void await fetch(own.url, { method: "HEAD" });
  const cost = async (scrapers: number) => {
    const before = cpuMs(own.program.pid);
    const seconds = quick ? 2 : 20;
    for (let n = 0; n < seconds; n++) {
      await Promise.all(Array.from({ length: scrapers }, head));
      await pause(1_000);
    }
    return (cpuMs(own.program.pid) - before) / seconds;
  };
  await cost(1);
  const pairs: { one: number; many: number }[] = [];
  for (let n = 0; n < (quick ? 1 : 3); n++) pairs.push({ one: await cost(1), many: await cost(MANY) });
  return [
    { name: "throughput/one_scraper", unit: "ms", values: pairs.map(({ one }) => one) },
    { name: "throughput/ten_scrapers", unit: "ms", values: pairs.map(({ many }) => many) },
    {
      name: "throughput/ten_over_one",
      unit: "ratio",
      values: ratios(pairs.map(({ many }) => many), pairs.map(({ one }) => one)),
    },
  ];
}
