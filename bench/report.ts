import { type Goal, judge, type Verdict } from "./goals.ts";
import { type Measure, median, valueText } from "./measure.ts";
import { type BenchResults, measuresOf } from "./results.ts";

/** A change smaller than this part is not worth a word: the same code differs as much from run to run. */
const NOISE = 0.1;
/** How much of a profile is printed; all that is kept of it stands in the file. */
const SHOWN_PLACES = 12;

/** The whole report: the machine, what was measured row by row, and each goal with its verdict. */
export function reportText(
  results: BenchResults,
  { goals, baseline }: { goals: readonly Goal[]; baseline: BenchResults | undefined },
): string {
  const { machine, commit, dirty, quick, startedAt } = results;
  const before = baseline && measuresOf(baseline);
  const head = [
    `${startedAt} commit ${commit}${dirty ? " with changes" : ""}${
      quick ? ", quick: figures are rough" : ""
    }`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.kernel}, Deno ${machine.deno}, ` +
    `nats-server ${machine.natsServer}, load before ${machine.loadBefore}`,
    ...(baseline ? [`compared with ${baseline.startedAt} commit ${baseline.commit}`] : []),
  ];
  const rows = Object.entries(results.rows).map(([name, { measures, cpu, remarks, profile = [] }]) => {
    const shares = Object.entries(cpu).map(([program, percent]) => `${program} ${percent.toFixed(0)} %`);
    return [
      `## ${name}`,
      measureTable(measures, before),
      ...(shares.length > 0 ? [`of a core: ${shares.join(", ")}`] : []),
      ...remarks.map((remark) => `  ${remark}`),
      ...(profile.length > 0 ? ["the program's time, by V8's profile:"] : []),
      ...profile.slice(0, SHOWN_PLACES).map((line) => `  ${line}`),
    ].join("\n");
  });
  return [head.join("\n"), ...rows, `## goals\n${goalTable(results, goals)}`].join("\n\n");
}

/** Each goal with what was measured and the verdict, as plain text. */
export function goalTable(results: BenchResults, goals: readonly Goal[]): string {
  const measures = measuresOf(results);
  return table([
    ["goal", "wanted", "median", "verdict"],
    ...goals.map((goal) => {
      const measure = measures.get(goal.measure);
      return [goal.what, wantedText(goal, measure), medianText(measure), verdictText(goal, measure)];
    }),
  ]);
}

/** The verdicts of a run, goal by goal. */
export function verdicts(results: BenchResults, goals: readonly Goal[]): Verdict[] {
  const measures = measuresOf(results);
  return goals.map((goal) => judge(goal, measures.get(goal.measure)));
}

/** What a goal asks for. */
export function wantedText({ max, min }: Goal, measure: Measure | undefined): string {
  const unit = measure?.unit ?? "count";
  return max === undefined ? `≥ ${valueText(min!, unit)}` : `≤ ${valueText(max, unit)}`;
}

/** The median, or a dash. */
export function medianText(measure: Measure | undefined): string {
  return measure && measure.values.length > 0 ? valueText(median(measure.values), measure.unit) : "–";
}

/** The verdict, with the place that explains it, or why there is none. */
export function verdictText(goal: Goal, measure: Measure | undefined): string {
  const verdict = judge(goal, measure);
  if (verdict === "MISSED" && goal.explained) return `${verdict}, see ${goal.explained}`;
  return verdict === "NOT MEASURED" && measure?.missing ? `${verdict}: ${measure.missing}` : verdict;
}

/** Medians, minima and maxima, and how the median changed since `before`. */
export function measureTable(measures: readonly Measure[], before?: ReadonlyMap<string, Measure>): string {
  return table([
    ["measure", "median", "min", "max", "repeats", before ? "before" : ""],
    ...measures.map((measure) => {
      const { name, unit, values, missing } = measure;
      if (values.length === 0) return [name, "NOT MEASURED", missing ?? "", "", "", ""];
      return [
        name,
        valueText(median(values), unit),
        valueText(Math.min(...values), unit),
        valueText(Math.max(...values), unit),
        String(values.length),
        changeText(measure, before?.get(name)),
      ];
    }),
  ]);
}

/** The median before, and the change where it is more than noise. */
export function changeText(now: Measure, before: Measure | undefined): string {
  if (before === undefined || before.values.length === 0) return "";
  const [was, is] = [median(before.values), median(now.values)];
  const change = was === 0 ? 0 : is / was - 1;
  const text = valueText(was, before.unit);
  return Math.abs(change) < NOISE
    ? text
    : `${text} (${change > 0 ? "+" : "−"}${Math.abs(100 * change).toFixed(0)} %)`;
}

/** Columns of equal width, the first to the left. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, n) =>
      n === 0 || n === row.length - 1 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!)
    )
      .join("  ").trimEnd()
  ).join("\n");
}
