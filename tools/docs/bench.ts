/** What the documents show of the benchmark's newest whole run. */
import { GOALS, judge } from "../../bench/goals.ts";
import { type Measure, median } from "../../bench/measure.ts";
import { measureTable, medianText, verdictText, wantedText } from "../../bench/report.ts";
import { type BenchResults, measuresOf } from "../../bench/results.ts";

const NOTHING = "Nothing is measured yet: `deno task bench`.";

/** Each goal, what was measured and whether that is enough; on which machine. */
export function goalsPart(results: BenchResults | undefined): string {
  if (results === undefined) return NOTHING;
  const measures = measuresOf(results);
  const rows = GOALS.map((goal) => {
    const measure = measures.get(goal.measure);
    return [goal.what, wantedText(goal, measure), medianText(measure), verdictText(goal, measure)];
  });
  return [markdownTable(["what", "goal", "measured", ""], rows), "", aboutText(results)].join("\n");
}

/** How many lines of a profile are shown: the longest pieces, and the places that count. */
const PROFILE_LINES = 18;

/** All measures, row by row, and where the time went in those that miss a goal. */
export function measuresPart(results: BenchResults | undefined): string {
  if (results === undefined) return NOTHING;
  const byName = measuresOf(results);
  const missed = GOALS.filter((goal) => judge(goal, byName.get(goal.measure)) === "MISSED");
  const rows = Object.entries(results.rows).map(([name, { measures, cpu, profile = [] }]) => {
    const shares = Object.entries(cpu).map(([program, percent]) => `${program} ${percent.toFixed(1)} %`);
    const shared = shares.length > 0 ? [`of a core: ${shares.join(", ")}`] : [];
    const isMissed = missed.some(({ measure }) => measure.startsWith(`${name}/`));
    const places = isMissed && profile.length > 0
      ? [
        "the program's time, by V8's profile:",
        ...profile.slice(0, PROFILE_LINES).map((line) => `  ${line}`),
      ]
      : [];
    return ["```", name, measureTable(measures), ...shared, ...places, "```"].join("\n");
  });
  return [...rows, aboutText(results)].join("\n\n");
}

/** How often Prometheus reads the page in the arithmetic, in seconds: what most deployments have. */
const SCRAPE_SECONDS = 15;
/** What Prometheus needs of disk for a sample, at most, as its documentation says. */
const SAMPLE_BYTES = 2;
const DAY_SECONDS = 86_400;

/**
 * What fleets of these sizes cost: 1,000 and 10,000 workers as measured, 100,000 as ten processes of 10,000 each. One round
 * a second, one packed scrape every 15 s.
 */
export function arithmeticPart(results: BenchResults | undefined): string {
  if (results === undefined) return NOTHING;
  const measures = measuresOf(results);
  const columns = [column(measures, 1_000, 1), column(measures, 10_000, 1), column(measures, 10_000, 10)];
  const head = ["", ...columns.map(({ workers }) => `${workers.toLocaleString("en")} workers`)];
  const rows = columns[0]!.lines.map(([what], n) => [what, ...columns.map(({ lines }) => lines[n]![1])]);
  return markdownTable(head, rows);
}

function column(
  measures: ReadonlyMap<string, Measure>,
  size: number,
  processes: number,
): { workers: number; lines: readonly (readonly [what: string, value: string])[] } {
  const of = (name: string) => {
    const values = measures.get(name)?.values ?? [];
    return values.length > 0 ? median(values) : NaN;
  };
  const workers = size * processes;
  const series = processes * of(`round/${size}/series`);
  const packed = processes * of(`throughput/${size}/gzip/bytes`);
  const number = (value: number, digits = 0) =>
    Number.isFinite(value) ? value.toLocaleString("en", { maximumFractionDigits: digits }) : "–";
  const megabits = (bytesPerSecond: number) => `${number(bytesPerSecond * 8 / 1e6, 1)} Mbit/s`;
  const mebibytes = (bytes: number) => `${number(bytes / 2 ** 20, 1)} MiB`;
  return {
    workers,
    lines: [
      ["processes", number(processes)],
      ["answers on NATS, a second", number(workers)],
      ["their bandwidth to `metrics`", megabits(workers * of(`round/${size}/reply_bytes`))],
      ["series", number(series)],
      ["pages, plain", mebibytes(processes * of(`round/${size}/page_bytes`))],
      ["pages, gzip", mebibytes(packed)],
      [`bandwidth of a gzip scrape every ${SCRAPE_SECONDS} s`, megabits(packed / SCRAPE_SECONDS)],
      [`samples a second, every ${SCRAPE_SECONDS} s`, number(series / SCRAPE_SECONDS)],
      [
        `disk of Prometheus a day, ${SAMPLE_BYTES} bytes a sample`,
        `${number(series / SCRAPE_SECONDS * DAY_SECONDS * SAMPLE_BYTES / 2 ** 30, 1)} GiB`,
      ],
      [
        "CPU of `metrics`, read twice a second",
        `${number(processes * of(`endurance/${size}/cpu`))} % of a core`,
      ],
      ["memory of `metrics`", `${number(processes * of(`endurance/${size}/rss_highest`))} MiB`],
    ],
  };
}

function aboutText({ startedAt, commit, dirty, quick, machine }: BenchResults): string {
  const what = `${quick ? "A quick run" : "A run"} of ${startedAt.slice(0, 10)}, commit ${commit}${
    dirty ? " with changes" : ""
  }`;
  return `${what}: ${machine.cpu}, ${machine.cores} cores shared with nats-server, fleet and readers, ` +
    `Deno ${machine.deno}, nats-server ${machine.natsServer}.`;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
