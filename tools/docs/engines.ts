import {
  PAGE_FAMILIES,
  type PageFamily,
  type PageField,
  SAMPLE_LABELS,
} from "../../lib/dynamo/page_families.ts";
import { releasesText } from "../../lib/dynamo/release.ts";
import {
  type CountedFact,
  type Engine,
  ENGINES,
  type Meaning,
  UNIT_EXCEPTIONS,
} from "../../lib/dynamo/units.ts";

const NAMES: Readonly<Record<"dynamo" | Engine, string>> = {
  dynamo: "Dynamo",
  vllm: "vLLM",
  sglang: "SGLang",
  trtllm: "TensorRT-LLM",
};

const FIELDS: Readonly<Record<PageField, string>> = {
  usedBlocks: "KV blocks in use",
  totalBlocks: "KV blocks in total",
  cacheUsageRatio: "KV cache usage",
  running: "requests that run",
  waiting: "requests that wait",
  inFlight: "requests in flight",
  prefixHitRatio: "prefix hit rate",
  prefixHits: "prefix hits",
  prefixQueries: "prefix lookups",
  generatedTokens: "whether the engine has worked",
};

const MEANINGS: Readonly<Record<string, string>> = {
  one: "any one is taken",
  greatest: "the greatest is taken",
  parts: "counts add up; of ratios the greatest is taken",
};

const FACTS: Readonly<Record<CountedFact, string>> = {
  card_total_blocks: "`total_kv_blocks` of the model card",
  card_max_seqs: "`max_num_seqs` of the model card",
  page_total_blocks: "`dynamo_component_total_blocks` of the page",
  event_used_blocks: "used blocks of `kv_metrics` events",
};

const UNITS: Readonly<Record<Exclude<Meaning, "rank">, string>> = {
  all: "all ranks together",
  tokens: "tokens of one rank",
};

/** What is read of a worker's page, family by family, for each engine. */
export function familiesTable(): string {
  const rows = (["dynamo", ...ENGINES] as const).flatMap((by) =>
    PAGE_FAMILIES.filter((family) => family.by === by).map((family) => [
      NAMES[by],
      `\`${family.name}${onlyText(family)}\``,
      FIELDS[family.field] + (family.adds ? " (these families add up)" : ""),
      family.kind === "counter" ? `${family.unit}, counter` : family.unit,
      family.rank === undefined ? "engine" : `rank, by \`${family.rank}\``,
      family.since,
    ])
  );
  return table(["by", "family", "what", "unit", "of", "since, or seen in"], rows);
}

/** What several samples of one family and rank mean, by the label that tells them apart. */
export function samplesTable(): string {
  const rows = Object.entries(SAMPLE_LABELS).map(([label, { means, why }]) => [
    `\`${label}\``,
    MEANINGS[means]!,
    why,
  ]);
  return table(["label", "several samples", "because"], [
    ...rows,
    ["any other", "none is taken, and the log names the label", "what they mean is not known"],
  ]);
}

/** Where a number is not of one rank, in blocks or slots. */
export function unitsTable(): string {
  const rows = UNIT_EXCEPTIONS.map(({ fact, engine, releases, means, source }) => [
    FACTS[fact],
    NAMES[engine],
    releasesText(releases)!,
    UNITS[means],
    source,
  ]);
  return table(["number", "engine", "releases of Dynamo", "counts", "source"], rows);
}

function onlyText({ only = {} }: PageFamily): string {
  const labels = Object.entries(only).map(([label, value]) => `${label}="${value}"`);
  return labels.length === 0 ? "" : `{${labels.join()}}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
