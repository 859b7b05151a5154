import { join } from "node:path";
import { startNats } from "../../tools/servers/nats.ts";
import { Child } from "../child.ts";
import type { FleetReport } from "../fleet/main.ts";
import { fleetService } from "../fleet/replies.ts";
import { type Measure, median, ratios, type RowResult } from "../measure.ts";
import { CpuShares } from "../probes/cpu.ts";
import type { RoundReport } from "../programs/round.ts";
import type { Row, RowContext } from "../row.ts";

const RELEASE = "0.6.0";
const SIZES = [{ workers: 1_000, repeats: 60, quick: 15 }, { workers: 10_000, repeats: 30, quick: 5 }];
/** Rounds of each side before the first that counts: V8 makes fast code of what has run some times. */
const WARM_UP = 10;
const QUICK_WARM_UP = 5;

/** A whole round and page, beside the least that the same answers and the same text can cost. */
export const ROUND: Row = {
  name: "round",
  what: "whole round and page, over the floors of the same run; per-worker cost",
  run: async (context) => {
    const results = [];
    for (const size of SIZES) results.push(await measure(size, context));
    const [small, large] = results.map(({ own }) => median(own));
    const [few, many] = SIZES.map(({ workers }) => workers);
    const perWorker = {
      name: "round/per_worker",
      unit: "ratio",
      values: [large! / many! / (small! / few!)],
    } as const;
    return {
      measures: [...results.flatMap(({ measures }) => measures), perWorker],
      cpu: results.at(-1)!.cpu,
      remarks: [],
    };
  },
};

interface TextReport {
  readonly ms: number;
  readonly series: number;
}

async function measure(
  { workers, repeats, quick }: typeof SIZES[number],
  context: RowContext,
): Promise<RowResult & { own: number[] }> {
  await using nats = await startNats();
  await using fleet = new Child("fleet/main.ts", { nats: nats.url, workers, release: RELEASE });
  const { replyBytes } = await fleet.ask<FleetReport>();
  await using program = new Child("programs/round.ts", { nats: nats.url });
  const warmUp = context.quick ? QUICK_WARM_UP : WARM_UP;
  for (let n = 0; n < warmUp; n++) await program.ask();
  const folder = await Deno.makeTempDir({ prefix: "bench-" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
  const page = join(folder, "page");
  const { bytes } = await program.ask<{ bytes: number }>(`page ${page}`);
  await using scrape = new Child("floors/scrape.ts", {
    nats: nats.url,
    service: fleetService(RELEASE),
    workers,
  });
  await using text = new Child("floors/text.ts", { page });
  const round = async () => ({
    scrape: (await scrape.ask<{ ms: number }>()).ms,
    text: await text.ask<TextReport>(),
    own: await program.ask<RoundReport>(),
  });
  for (let n = 0; n < warmUp; n++) await round();
  const shares = new CpuShares({
    "program": program.pid,
    "nats-server": nats.pid,
    "fleet": fleet.pid,
    "scrape floor": scrape.pid,
    "text floor": text.pid,
    "bench": Deno.pid,
  });
  const rounds = [];
  for (let n = 0; n < (context.quick ? quick : repeats); n++) rounds.push(await round());
  const failed = rounds.find(({ own }) => own.answers !== workers);
  if (failed) throw new Error(`a round of ${workers} workers had ${failed.own.answers} answers`);

  const own = rounds.map(({ own }) => own.ms);
  const floors = rounds.map(({ scrape, text }) => scrape + text.ms);
  const at = (what: string) => `round/${workers}/${what}`;
  const ms = (what: string, values: number[]): Measure => ({ name: at(what), unit: "ms", values });
  context.say(`${workers} workers: ${median(own).toFixed(1)} ms, floors ${median(floors).toFixed(1)} ms`);
  return {
    own,
    measures: [
      { name: at("ratio"), unit: "ratio", values: ratios(own, floors) },
      ms("own", own),
      ms("own_answers", rounds.map(({ own }) => own.askedMs)),
      ms("own_snapshot", rounds.map(({ own }) => own.snapshotMs)),
      ms("own_page", rounds.map(({ own }) => own.pageMs)),
      ms("scrape_floor", rounds.map(({ scrape }) => scrape)),
      ms("text_floor", rounds.map(({ text }) => text.ms)),
      { name: at("reply_bytes"), unit: "bytes", values: [replyBytes] },
      { name: at("page_bytes"), unit: "bytes", values: [bytes] },
      { name: at("series"), unit: "count", values: [rounds[0]!.text.series] },
    ],
    cpu: shares.percent(),
    remarks: [],
  };
}
