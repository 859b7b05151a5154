/**
 * Writes the generated parts of the documents anew: what stands between `<!-- begin NAME -->` and `<!-- end NAME -->`, from
 * the code's tables and from a run of both programs. With `--with-original` it runs the original beside them too
 * (needs PyPI). A test holds the parts that come from tables against the tables.
 */
import { parseMetricsOptions } from "../../lib/cli/metrics_options.ts";
import { parseMockOptions } from "../../lib/cli/mock_options.ts";
import { parseTopOptions } from "../../lib/cli/top_options.ts";
import { FAMILIES } from "../../lib/exposition/families.ts";
import { familyLabels } from "../../lib/exposition/family.ts";
import { FAULTS } from "../../tests/faults/faults.ts";
import { RELEASES, SERIES } from "../../tests/releases.ts";
import { STATE_TABLE } from "../../tests/fleet/state_table.ts";
import { DIFFERENCES } from "../../tests/differences.ts";
import { ODD_EVENTS } from "../../tests/events/odd_events.ts";
import { newestResults } from "../../bench/results.ts";
import { arithmeticPart, goalsPart, measuresPart } from "./bench.ts";
import { familiesTable, samplesTable, unitsTable } from "./engines.ts";
import { findingsTable } from "./findings.ts";
import { comparisonPart, outputParts } from "./output.ts";
import { seriesTable } from "./series.ts";
import { ODD_REPLIES, type OddReply } from "../../tests/scrape/odd_replies.ts";
import { taskArgs } from "../task_args.ts";

/** A document and its parts that come from tables, by name. */
export interface GeneratedDocument {
  readonly file: URL;
  readonly parts: Readonly<Record<string, string>>;
}

export function generatedDocuments(): readonly GeneratedDocument[] {
  const root = new URL("../../", import.meta.url);
  const results = newestResults();
  return [
    {
      file: new URL("README.md", root),
      parts: {
        flags: helpOf(parseMetricsOptions({ ...HELP, hostname: "host" })),
        top_flags: helpOf(parseTopOptions({ ...HELP, terminals: HELP_TERMINALS })),
        mock_flags: helpOf(parseMockOptions(HELP)),
        metrics: metricsTable(),
        releases: releasesTable(),
        series: seriesTable(),
        differences: differencesTable(),
        "bench-goals": goalsPart(results),
      },
    },
    { file: new URL("ARCHITECTURE.md", root), parts: { states: statesTable() } },
    {
      file: new URL("SCALING.md", root),
      parts: { "bench-measures": measuresPart(results), "bench-arithmetic": arithmeticPart(results) },
    },
    { file: new URL("docs/faults.md", root), parts: { faults: faultsTable() } },
    { file: new URL("docs/findings.md", root), parts: { findings: findingsTable() } },
    {
      file: new URL("docs/engines.md", root),
      parts: { families: familiesTable(), samples: samplesTable(), units: unitsTable() },
    },
  ];
}

/** The text with its generated parts made anew. @throws when a part has no place in it */
export function withParts(text: string, parts: Readonly<Record<string, string>>): string {
  for (const [name, part] of Object.entries(parts)) {
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`there is no place for the part ${name}`);
    text = `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
  }
  return text;
}

/** What the captures of each release give, and by which channel. */
function releasesTable(): string {
  const head = ["release", ...SERIES.map(([series]) => series)];
  const rows = Object.entries(RELEASES).map(([release, ways]) => [
    release,
    ...ways.map((cell) => cell.split(" ").join(", ")),
  ]);
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The edges between a worker's states, each of which the test walks. */
function statesTable(): string {
  const rows = STATE_TABLE.map(({ from, when, to }) => `| ${from} | ${when} | ${to} |`);
  return ["| from | when | to |", "| --- | --- | --- |", ...rows].join("\n");
}

/** The faults that are survived, each with the test that shows it. */
function faultsTable(): string {
  const rows = FAULTS.map(({ file, fault, meanwhile }) =>
    `| ${fault} | ${meanwhile} | [${file}](../tests/faults/${file}_test.ts) |`
  );
  return ["| fault | what the page says meanwhile | test |", "| --- | --- | --- |", ...rows].join("\n");
}

const HELP = { argv: ["--help"], env: {}, terminal: false };
const HELP_TERMINALS = { stdin: false, stdout: false, stderr: false };

function helpOf(help: object): string {
  if (!("shown" in help)) throw new Error("--help shows nothing");
  return `\`\`\`\n${help.shown}\`\`\``;
}

function metricsTable(): string {
  const rows = FAMILIES.map((family) =>
    `| \`${family.name}\` | ${family.type} | ${
      familyLabels(family).map((label) => `\`${label}\``).join(", ") || "–"
    } | ${family.help.replaceAll("|", "\\|")} |`
  );
  return ["| name | type | labels | what |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** Where ours differs from the original, row by row of the tables whose test shows each. */
function differencesTable(): string {
  const replies = ODD_REPLIES.flatMap(({ capture, original, ours, counted, why }) =>
    ours === "same" ? [] : [[`reply: ${capture}`, shownText(original), shownText(ours, counted), why!]]
  );
  const events = ODD_EVENTS.flatMap(({ event, original, ours, why }) =>
    why === undefined
      ? []
      : [[`event: \`${event}\``, original, ours === "counted" ? ours : `refused (\`${ours}\`)`, why]]
  );
  const others = DIFFERENCES.map(({ what, original, ours, why }) => [what, original, ours, why]);
  const rows = [...replies, ...events, ...others].map((cells) => `| ${cells.join(" | ")} |`);
  return ["| what comes | the original 0.1.1 | ours | why |", "| --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

/** Blocks in use by worker, and what is counted beside. */
function shownText(shown: OddReply["original"], counted: readonly string[] = []): string {
  if (typeof shown === "string") return shown === "NaN" ? "`llm_load_avg NaN`" : shown;
  const workers = Object.entries(shown).map(([worker, blocks]) => `worker ${worker}: ${blocks}`);
  const beside = counted.map((reason) => `\`${reason}\``);
  return [...workers, ...beside].join(", ") || "nothing";
}

if (import.meta.main) {
  const isWhole = taskArgs.includes("--with-original");
  const output = { ...await outputParts(), ...(isWhole && await comparisonPart()) };
  for (const { file, parts } of generatedDocuments()) {
    const name = file.pathname.split("/").at(-1);
    const before = await Deno.readTextFile(file);
    const after = withParts(before, { ...parts, ...(name === "README.md" && output) });
    await Deno.writeTextFile(file, after);
  }
}
