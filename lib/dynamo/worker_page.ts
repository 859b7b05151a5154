import type { Mutable } from "./load.ts";
import { type WorkerId, workerIdFromHex } from "./worker_id.ts";

/** What a worker's HTTP page says of one rank. What it does not say is absent, never 0. */
export interface PageNumbers {
  /** 0 where the page does not say. */
  readonly dpRank: number;
  /** Whom the page names; Dynamo does so since 1.1.1, engines never do. */
  readonly worker?: WorkerId;
  readonly usedBlocks?: number;
  readonly totalBlocks?: number;
  /** 0 to 1. */
  readonly cacheUsageRatio?: number;
  readonly running?: number;
  readonly waiting?: number;
  /** Running and waiting ones together, of all ranks. */
  readonly inflight?: number;
  /** 0 to 1. */
  readonly prefixHitRatio?: number;
}

type Field = Exclude<keyof PageNumbers, "dpRank" | "worker">;

interface Rule {
  readonly field: Field;
  /** The label that names the rank. */
  readonly rank?: string;
  /** Labels that a sample must have. */
  readonly only?: Readonly<Record<string, string>>;
}

/**
 * The families that are read, of any release and engine. Of two that say the same the earlier stands; of a family's
 * samples of one rank (tensor-parallel ranks repeat them) the first.
 */
const FAMILIES: Readonly<Record<string, Rule>> = {
  // Dynamo from 0.9: of the engine's component, in 1.6.1 of its sample engine, by source of real ones.
  "dynamo_component_inflight_requests": { field: "inflight", only: { dynamo_endpoint: "generate" } },
  "dynamo_component_total_blocks": { field: "totalBlocks", rank: "dp_rank" },
  "dynamo_component_gpu_cache_usage_percent": { field: "cacheUsageRatio", rank: "dp_rank" },
  "dynamo_component_kv_cache_hit_rate": { field: "prefixHitRatio", rank: "dp_rank" },
  // Dynamo 0.5.0 to 0.8.1.
  "dynamo_component_kvstats_active_blocks": { field: "usedBlocks" },
  "dynamo_component_kvstats_total_blocks": { field: "totalBlocks" },
  "dynamo_component_kvstats_gpu_cache_usage_percent": { field: "cacheUsageRatio" },
  "dynamo_component_kvstats_gpu_prefix_cache_hit_rate": { field: "prefixHitRatio" },
  // vLLM, and Dynamo's mocker from 1.3.1; "gpu_" is the older name.
  "vllm:kv_cache_usage_perc": { field: "cacheUsageRatio", rank: "engine" },
  "vllm:gpu_cache_usage_perc": { field: "cacheUsageRatio", rank: "engine" },
  "vllm:gpu_prefix_cache_hit_rate": { field: "prefixHitRatio", rank: "engine" },
  "vllm:num_requests_running": { field: "running", rank: "engine" },
  "vllm:num_requests_waiting": { field: "waiting", rank: "engine" },
  // SGLang.
  "sglang:token_usage": { field: "cacheUsageRatio", rank: "dp_rank" },
  "sglang:cache_hit_rate": { field: "prefixHitRatio", rank: "dp_rank" },
  "sglang:num_running_reqs": { field: "running", rank: "dp_rank" },
  "sglang:num_queue_reqs": { field: "waiting", rank: "dp_rank" },
  // TensorRT-LLM.
  "trtllm_kv_cache_utilization": { field: "cacheUsageRatio" },
  "trtllm_kv_cache_hit_rate": { field: "prefixHitRatio" },
  "trtllm_num_requests_running": { field: "running" },
  "trtllm_num_requests_waiting": { field: "waiting" },
};

const RULES = new Map(Object.entries(FAMILIES).map(([name, rule], order) => [name, { ...rule, order }]));

/** A sample of ours is shorter, and a page of more ranks is none. */
const MAX_LINE_LENGTH = 8_192;
const MAX_RANKS = 256;

interface Sample {
  readonly rule: Rule & { readonly order: number };
  readonly worker: WorkerId | undefined;
  readonly dpRank: number;
  readonly value: number;
}

/**
 * Reads the Prometheus text of a worker's page, by worker and rank in the page's order. What it does not know, or cannot
 * read, is passed over; a page that names one worker speaks of that one alone.
 */
export function parseWorkerPage(text: string): PageNumbers[] {
  const samples: Sample[] = [];
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf("\n", start);
    const end = feed === -1 ? text.length : feed;
    const sample = readSample(text, { start, end });
    if (sample !== undefined) samples.push(sample);
    start = end + 1;
  }
  const named = new Set(samples.flatMap(({ worker }) => worker === undefined ? [] : [worker]));
  const only = named.size === 1 ? [...named][0] : undefined;
  const pages = new Map<string, { numbers: Mutable<PageNumbers>; orders: Map<Field, number> }>();
  for (const { rule, value, dpRank, worker = only } of samples) {
    const key = `${worker ?? ""}/${dpRank}`;
    let page = pages.get(key);
    if (page === undefined) {
      if (pages.size >= MAX_RANKS) continue;
      pages.set(key, page = { numbers: { dpRank, ...(worker && { worker }) }, orders: new Map() });
    }
    if (rule.order >= (page.orders.get(rule.field) ?? Infinity)) continue;
    page.orders.set(rule.field, rule.order);
    page.numbers[rule.field] = value;
  }
  return [...pages.values()].map(({ numbers }) => numbers);
}

function readSample(text: string, { start, end }: { start: number; end: number }): Sample | undefined {
  if (end - start > MAX_LINE_LENGTH || text[start] === "#") return undefined;
  const line = text.slice(start, end);
  const name = /^[\w:]+/.exec(line)?.[0] ?? "";
  const rule = RULES.get(name);
  if (rule === undefined) return undefined;
  const [, labelText = "", valueText = ""] =
    /^(?:[ \t]*\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?[ \t]*([^ \t\r]+)(?:[ \t]+-?\d+)?[ \t\r]*$/.exec(
      line.slice(name.length),
    ) ?? [];
  const labels = readLabels(labelText);
  if (labels === undefined) return undefined;
  if (Object.entries(rule.only ?? {}).some(([label, wanted]) => labels.get(label) !== wanted)) {
    return undefined;
  }
  const value = readValue(rule.field, valueText);
  const dpRank = readRank(rule.rank && labels.get(rule.rank));
  if (value === undefined || dpRank === undefined) return undefined;
  return { rule, value, dpRank, worker: workerIdFromHex(labels.get("worker_id") ?? "") };
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
function readValue(field: Field, text: string): number | undefined {
  if (!/^[+]?[\d.]+(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  const isRight = field.endsWith("Ratio") ? value <= 1 : Number.isSafeInteger(value);
  return isRight ? value : undefined;
}

function readRank(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return 0;
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}
