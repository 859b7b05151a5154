import type { Mutable } from "./load.ts";
import { PAGE_FAMILIES, type PageFamily, type PageField, SAMPLE_LABELS } from "./page_families.ts";
import type { Engine } from "./units.ts";
import { type WorkerId, workerIdFromHex } from "./worker_id.ts";

/**
 * Of what a number is: of a rank by its number, of the whole `engine`, or of one rank whose number the page does not
 * say (`unnamed`).
 */
export type RankName = number | "engine" | "unnamed";

/** What a worker's HTTP page says of one rank, or of the whole engine. What it does not say is absent, never 0. */
export interface PageNumbers {
  readonly dpRank: RankName;
  /** The worker that the page names; Dynamo does so since 1.1.1, engines since 1.2.1. */
  readonly worker?: WorkerId;
  /** The engine whose families the page has. */
  readonly engine?: Engine;
  readonly usedBlocks?: number;
  /** Blocks; tokens or all ranks together in some releases (`units.ts`). Placeholders (0 and 1) are left out. */
  readonly totalBlocks?: number;
  /** 0 to 1. */
  readonly cacheUsageRatio?: number;
  readonly running?: number;
  readonly waiting?: number;
  /** Requests that `generate` has taken and not answered yet: running ones, waiting ones, and those not yet in the engine. */
  readonly inFlight?: number;
  /** 0 to 1. */
  readonly prefixHitRatio?: number;
  /** Tokens found in the prefix cache, and tokens looked up there, since the engine's start. */
  readonly prefixHits?: number;
  readonly prefixQueries?: number;
  /** Tokens generated since the engine's start. */
  readonly generatedTokens?: number;
}

/** A label that tells samples apart in a way that is not known: nothing is taken of them. */
export interface UnknownLabel {
  readonly family: string;
  /** Empty if a page repeats one sample with other values. */
  readonly label: string;
}

export interface ReadPage {
  /** By worker and rank, in the page's order. */
  readonly numbers: readonly PageNumbers[];
  readonly unknownLabels: readonly UnknownLabel[];
}

type Rule = PageFamily & { readonly order: number };

const RULES: ReadonlyMap<string, Rule> = new Map(
  PAGE_FAMILIES.map((family, order) => [family.name, { ...family, order }]),
);
/** All families begin with one of these. */
const PREFIXES = ["dynamo_component_", "vllm:", "sglang:", "trtllm_"];

/** A sample of ours is shorter, and a page of more ranks is none. */
const MAX_LINE_LENGTH = 8_192;
const MAX_RANKS = 256;

interface Sample {
  readonly rule: Rule;
  readonly worker: WorkerId | undefined;
  readonly dpRank: RankName;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/**
 * Reads the Prometheus or OpenMetrics text of a worker's page. Lines that it does not know or cannot read are passed
 * over. If a page names one worker, all its numbers are that worker's.
 */
export function parseWorkerPage(text: string): ReadPage {
  const samples = readSamples(text);
  const named = new Set(samples.flatMap(({ worker }) => worker === undefined ? [] : [worker]));
  const only = named.size === 1 ? [...named][0] : undefined;
  const engine = engineOf(samples);
  const pages = new Map<string, RankReading>();
  for (const sample of samples) {
    const { dpRank, worker = only } = sample;
    const key = `${worker ?? ""}/${dpRank}`;
    let page = pages.get(key);
    if (page === undefined) {
      if (pages.size >= MAX_RANKS) continue;
      pages.set(
        key,
        page = new RankReading({ dpRank, ...(worker && { worker }), ...(engine && { engine }) }),
      );
    }
    page.add(sample);
  }
  const unknownLabels: UnknownLabel[] = [];
  const numbers = [...pages.values()].map((page) => page.finish(unknownLabels));
  return { numbers, unknownLabels };
}

/** The samples of one rank, put together family by family. */
class RankReading {
  readonly #numbers: Mutable<PageNumbers>;
  readonly #byFamily = new Map<Rule, Sample[]>();

  constructor(numbers: PageNumbers) {
    this.#numbers = numbers;
  }

  add(sample: Sample): void {
    const known = this.#byFamily.get(sample.rule);
    if (known === undefined) this.#byFamily.set(sample.rule, [sample]);
    else known.push(sample);
  }

  finish(unknownLabels: UnknownLabel[]): PageNumbers {
    const numbers = this.#numbers;
    const orders = new Map<PageField, number>();
    const unknownSums = new Set<PageField>();
    for (const [rule, samples] of this.#byFamily) {
      const value = samples.length === 1 ? samples[0]!.value : combine(samples, unknownLabels);
      const { field, order, adds } = rule;
      if (adds && value === undefined) unknownSums.add(field);
      if (value === undefined || isPlaceholder(rule, value)) continue;
      if (adds) {
        numbers[field] = (numbers[field] ?? 0) + value;
      } else if (order < (orders.get(field) ?? Infinity)) {
        orders.set(field, order);
        numbers[field] = value;
      }
    }
    for (const field of unknownSums) delete numbers[field]; // A part of a sum is no sum.
    return numbers;
  }
}

/** Engines say 0 blocks before their first request, and 1 for a rank that does not know its total (run: 1.2.1). */
function isPlaceholder({ field }: Rule, value: number): boolean {
  return field === "totalBlocks" && value <= 1;
}

/** One value of several samples of a family and rank; undefined if it is not known how they belong together. */
function combine(samples: readonly Sample[], unknownLabels: UnknownLabel[]): number | undefined {
  const { rule } = samples[0]!;
  const family = rule.name;
  const labels = differingLabels(samples);
  const unknown = labels.filter((label) => SAMPLE_LABELS[label] === undefined);
  for (const label of unknown) unknownLabels.push({ family, label });
  if (unknown.length > 0) return undefined;
  if (labels.length === 0) {
    if (samples.every(({ value }) => value === samples[0]!.value)) return samples[0]!.value;
    unknownLabels.push({ family, label: "" });
    return undefined;
  }
  const means = (wanted: string) => labels.filter((label) => SAMPLE_LABELS[label]!.means === wanted);
  const parts = means("parts");
  const isGreatest = means("greatest").length > 0;
  const ofParts = new Map<string, number>();
  for (const { labels, value } of samples) {
    const part = parts.map((label) => labels.get(label) ?? "").join("\n");
    const known = ofParts.get(part);
    if (known === undefined || isGreatest && value > known) ofParts.set(part, value);
  }
  const values = [...ofParts.values()];
  return rule.unit === "ratio" ? Math.max(...values) : values.reduce((sum, value) => sum + value);
}

/** Those whose values are not the same in all samples, without the rank's and the worker's. */
function differingLabels(samples: readonly Sample[]): string[] {
  const first = samples[0]!;
  const names = new Set(samples.flatMap(({ labels }) => [...labels.keys()]));
  names.delete("worker_id");
  if (first.rule.rank !== undefined) names.delete(first.rule.rank);
  return [...names].filter((name) =>
    samples.some(({ labels }) => labels.get(name) !== first.labels.get(name))
  );
}

/** The engine whose families the page has; undefined if there are none, or those of several. */
function engineOf(samples: readonly Sample[]): Engine | undefined {
  const engines = new Set<Engine>();
  for (const { rule: { by } } of samples) if (by !== "dynamo") engines.add(by);
  return engines.size === 1 ? [...engines][0] : undefined;
}

function readSamples(text: string): Sample[] {
  const samples: Sample[] = [];
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf("\n", start);
    const end = feed === -1 ? text.length : feed;
    if (PREFIXES.some((prefix) => text.startsWith(prefix, start))) {
      const sample = end - start > MAX_LINE_LENGTH ? undefined : readSample(text.slice(start, end));
      if (sample !== undefined) samples.push(sample);
    }
    start = end + 1;
  }
  return samples;
}

function readSample(line: string): Sample | undefined {
  const name = /^[\w:]+/.exec(line)?.[0] ?? "";
  const rule = RULES.get(name);
  if (rule === undefined) return undefined;
  // `{labels} value time`; OpenMetrics writes the time in seconds with a fraction.
  const [, labelsText = "", valueText = ""] =
    /^(?:[ \t]*\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?[ \t]*([^ \t\r]+)(?:[ \t]+-?[\d.]+(?:[eE][+-]?\d+)?)?[ \t\r]*$/
      .exec(line.slice(name.length)) ?? [];
  const labels = readLabels(labelsText);
  if (labels === undefined) return undefined;
  if (Object.entries(rule.only ?? {}).some(([label, wanted]) => labels.get(label) !== wanted)) {
    return undefined;
  }
  const value = readValue(rule, valueText);
  const dpRank = rule.rank === undefined ? "engine" : readRank(labels.get(rule.rank));
  if (value === undefined || dpRank === undefined) return undefined;
  return { rule, value, dpRank, labels, worker: workerIdFromHex(labels.get("worker_id") ?? "") };
}

/** A label, whose name may be in quotes since Prometheus 3. Sticky, since it is tried in linear time where one may be. */
const LABEL = /([a-zA-Z_]\w*|"(?:[^"\\]|\\.)*")[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,[ \t]*|$)/gy;

/** Undefined when not all of the text is labels. */
function readLabels(text: string): ReadonlyMap<string, string> | undefined {
  const trimmed = text.trimStart();
  const matches = [...trimmed.matchAll(LABEL)];
  if (matches.reduce((sum, [whole]) => sum + whole.length, 0) < trimmed.length) return undefined;
  return new Map(matches.map(([, label, value]) => [label!, value!] as const));
}

/** Ratios are 0 to 1, all else is counted. */
function readValue({ unit }: Rule, text: string): number | undefined {
  if (!/^[+]?[\d.]+(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  const isRight = unit === "ratio" ? value <= 1 : Number.isSafeInteger(value);
  return isRight ? value : undefined;
}

function readRank(text: string | undefined): RankName | undefined {
  if (text === undefined || text === "") return "unnamed";
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}
