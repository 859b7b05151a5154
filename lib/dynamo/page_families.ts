import type { Engine } from "./units.ts";

/** A number that a worker's page may say of one rank, or of the whole engine. */
export type PageField =
  | "usedBlocks"
  | "totalBlocks"
  | "cacheUsageRatio"
  | "running"
  | "waiting"
  | "inFlight"
  | "prefixHitRatio"
  | "prefixHits"
  | "prefixQueries"
  | "generatedTokens";

/** One family of a worker's page that is read. */
export interface PageFamily {
  readonly name: string;
  /** Who writes it. */
  readonly by: "dynamo" | Engine;
  readonly field: PageField;
  /** Ratios are 0 to 1. Which `blocks` are tokens stands in `units.ts`. */
  readonly unit: "ratio" | "blocks" | "requests" | "tokens";
  /** A counter is read for its increase. */
  readonly kind: "gauge" | "counter";
  /** The label that names the rank; a family without one is of the whole engine. */
  readonly rank?: "dp_rank" | "engine";
  /** Labels that a sample must have. */
  readonly only?: Readonly<Record<string, string>>;
  /** The field is the sum of this family and the others of the same field that have `adds`. */
  readonly adds?: true;
  /** The first release for Dynamo's own families; for an engine's the versions that were seen or reported. */
  readonly since: string;
}

const SEEN = "seen in 0.14.1, 0.20.1, 0.31.0";
const MOCKER = "Dynamo's mocker from 1.3.1";
/** Of an engine that was not run. */
const REPORTED = "from public reports";

const COMPONENT = "dynamo_component_";
const GENERATE = { dynamo_endpoint: "generate" } as const;

/**
 * The families that are read, of any release and engine. Of two that say the same the earlier one stands. The facts were
 * seen on real pages (tests/testdata/worker_pages, tests/testdata/engines); those of SGLang and TensorRT-LLM come from
 * their sources and from public reports.
 */
export const PAGE_FAMILIES: readonly PageFamily[] = [
  gauge("inFlight", `${COMPONENT}inflight_requests`, {
    by: "dynamo",
    unit: "requests",
    only: GENERATE,
    since: "0.5.0",
  }),
  gauge("totalBlocks", `${COMPONENT}total_blocks`, {
    by: "dynamo",
    unit: "blocks",
    rank: "dp_rank",
    since: "1.0.2",
  }),
  gauge("cacheUsageRatio", `${COMPONENT}gpu_cache_usage_percent`, {
    by: "dynamo",
    unit: "ratio",
    rank: "dp_rank",
    since: "1.0.2",
  }),
  ...ofEngine("vllm", "engine", [
    counter("prefixHits", "vllm:prefix_cache_hits_total", SEEN),
    counter("prefixQueries", "vllm:prefix_cache_queries_total", SEEN),
    counter("prefixHits", "vllm:gpu_prefix_cache_hits_total", "reported of 0.8"),
    counter("prefixQueries", "vllm:gpu_prefix_cache_queries_total", "reported of 0.8"),
    counter("generatedTokens", "vllm:generation_tokens_total", SEEN),
  ]),
  gauge("prefixHitRatio", `${COMPONENT}kv_cache_hit_rate`, {
    by: "dynamo",
    unit: "ratio",
    rank: "dp_rank",
    since: "1.0.2",
  }),
  gauge("usedBlocks", `${COMPONENT}kvstats_active_blocks`, {
    by: "dynamo",
    unit: "blocks",
    since: "0.5.0 to 0.8.1",
  }),
  gauge("totalBlocks", `${COMPONENT}kvstats_total_blocks`, {
    by: "dynamo",
    unit: "blocks",
    since: "0.5.0 to 0.8.1",
  }),
  gauge("cacheUsageRatio", `${COMPONENT}kvstats_gpu_cache_usage_percent`, {
    by: "dynamo",
    unit: "ratio",
    since: "0.5.0 to 0.8.1",
  }),
  gauge("prefixHitRatio", `${COMPONENT}kvstats_gpu_prefix_cache_hit_rate`, {
    by: "dynamo",
    unit: "ratio",
    since: "0.5.0 to 0.8.1",
  }),
  ...ofEngine("vllm", "engine", [
    ratio("cacheUsageRatio", "vllm:kv_cache_usage_perc", `${SEEN}; ${MOCKER}`),
    ratio("cacheUsageRatio", "vllm:gpu_cache_usage_perc", `reported of 0.8; ${MOCKER}`),
    ratio("prefixHitRatio", "vllm:gpu_prefix_cache_hit_rate", "older than the counters"),
    requests("running", "vllm:num_requests_running", `${SEEN}; ${MOCKER}`),
    requests("waiting", "vllm:num_requests_waiting", `${SEEN}; ${MOCKER}`),
  ]),
  ...ofEngine("sglang", "dp_rank", [
    ratio("cacheUsageRatio", "sglang:token_usage"),
    ratio("prefixHitRatio", "sglang:cache_hit_rate"),
    requests("running", "sglang:num_running_reqs"),
    // Requests wait in several queues of a disaggregated engine. `num_prefill_inflight_queue_reqs` is none of them: its
    // requests are computed and being sent.
    ...[
      "sglang:num_queue_reqs",
      "sglang:num_prefill_prealloc_queue_reqs",
      "sglang:num_decode_prealloc_queue_reqs",
      "sglang:num_decode_transfer_queue_reqs",
    ].map((name) => ({ ...requests("waiting", name), adds: true as const })),
  ]),
  ...ofEngine("trtllm", undefined, [
    ratio("cacheUsageRatio", "trtllm_kv_cache_utilization"),
    ratio("prefixHitRatio", "trtllm_kv_cache_hit_rate"),
    requests("running", "trtllm_num_requests_running"),
    requests("waiting", "trtllm_num_requests_waiting"),
  ]),
];

/**
 * What to do with several samples of one family and rank, by the label that tells them apart. `one`: they repeat each
 * other, and any of them is taken. `greatest`: all but one are stale. `parts`: they are parts of one worker, whose
 * counts add up; of ratios the greatest is taken. Of a label that is not here nothing is known: nothing is shown.
 */
export const SAMPLE_LABELS: Readonly<
  Record<string, { readonly means: SampleMeaning; readonly why: string }>
> = {
  tp_rank: { means: "one", why: "each tensor-parallel rank reports the same requests" },
  pp_rank: { means: "one", why: "each pipeline-parallel rank reports the same requests" },
  pid: { means: "greatest", why: "each API server's process repeats the gauge, all but one stale at 0" },
  stage: { means: "parts", why: "stages of one worker have requests of their own" },
  model: { means: "parts", why: "engines of several models in one worker" },
  model_name: { means: "parts", why: "engines of several models in one worker" },
  replica: { means: "parts", why: "replicas of an engine in one worker" },
};

export type SampleMeaning = "one" | "greatest" | "parts";

type Rest = Pick<PageFamily, "field" | "name" | "unit" | "kind" | "since">;

function gauge(
  field: PageField,
  name: string,
  more: Omit<PageFamily, "field" | "name" | "kind">,
): PageFamily {
  return { field, name, kind: "gauge", ...more };
}

function ofEngine(
  by: Engine,
  rank: PageFamily["rank"],
  families: readonly (Rest & { readonly adds?: true })[],
): PageFamily[] {
  return families.map((family) => ({ by, ...family, ...(rank && { rank }) }));
}

function ratio(field: PageField, name: string, since = REPORTED): Rest {
  return { field, name, unit: "ratio", kind: "gauge", since };
}

function requests(field: PageField, name: string, since = REPORTED): Rest {
  return { field, name, unit: "requests", kind: "gauge", since };
}

function counter(field: PageField, name: string, since: string): Rest {
  return { field, name, unit: "tokens", kind: "counter", since };
}
