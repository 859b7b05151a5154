import { INSPECTABLE, Inspector } from "../../tools/inspector.ts";
import type { Measure, RowResult } from "../measure.ts";
import { type Piece, pieces, profiled, profileText, type TurnedProfile } from "../probes/profile.ts";
import { watch } from "../probes/watch.ts";
import { Deployment } from "../programs/deployment.ts";
import type { Row, RowContext } from "../row.ts";
import { pause, Scraping } from "../scraping.ts";

const SIZES = [1_000, 10_000];
const MINUTE_MS = 60_000;

/**
 * Ten minutes of 1 s polls with one plain and one packed scrape a second: how long the event loop keeps others waiting,
 * how much memory it takes, and after that, in a CPU profile, which pieces of work are the longest.
 */
export const ENDURANCE: Row = {
  name: "endurance",
  what: "ten minutes: blocks of the event loop, memory, longest pieces of work",
  run: async (context) => {
    const results = [];
    for (const workers of SIZES) results.push(await measure(workers, context));
    return {
      measures: results.flatMap(({ measures }) => measures),
      cpu: results.at(-1)!.cpu,
      remarks: ["V8's inspector is open meanwhile, which takes about 4 MiB and no time"],
      profile: results.at(-1)!.profile ?? [],
    };
  },
};

async function measure(workers: number, { quick, say }: RowContext): Promise<RowResult> {
  await using deployment = await Deployment.start({ workers, denoFlags: [INSPECTABLE] });
  const { url, program } = deployment.own;
  using inspector = await Inspector.of(program);
  await using _ = new Scraping([{ url, gzip: false }, { url, gzip: true }]);
  await pause(quick ? 2_000 : 10_000);

  const ms = quick ? (workers === 10_000 ? 12_000 : 4_000) : 10 * MINUTE_MS;
  const { measures, cpu, said } = await watch(`endurance/${workers}`, deployment.pids, { inspector, ms });
  say(`${workers} workers: ${said}`);

  const profile = await profiled(inspector, () => pause(quick ? 2_000 : 30_000));
  return {
    measures: [...measures, ...pieceMeasures(workers, profile)],
    cpu,
    remarks: [],
    profile: profileText(profile),
  };
}

function pieceMeasures(workers: number, profile: TurnedProfile): Measure[] {
  const found = pieces(profile);
  const longest = (of: (piece: Piece) => number) => [Math.max(...found.map(of))];
  return [
    {
      name: `endurance/${workers}/longest_piece`,
      unit: "ms",
      values: longest(({ ms, garbageMs }) => ms - garbageMs),
    },
    { name: `endurance/${workers}/longest_piece_and_garbage`, unit: "ms", values: longest(({ ms }) => ms) },
  ];
}
