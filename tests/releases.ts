/** What the page shows of a worker, group by group, and the family that stands for the group. */
export const SERIES = [
  ["blocks in use", "llm_kv_blocks_active"],
  ["blocks in total", "llm_kv_blocks_total"],
  ["slots in use", "llm_requests_active_slots"],
  ["slots in total", "llm_requests_total_slots"],
  ["waiting", "dynamo_metrics_worker_requests_waiting"],
  ["cache usage", "dynamo_metrics_worker_kv_cache_usage_ratio"],
  ["prefix hits", "llm_kv_hit_rate_percent"],
  ["hit-rate counters", "llm_kv_hit_rate_isl_blocks"],
  ["routers' estimates", "dynamo_metrics_router_active_decode_blocks"],
] as const;
export type Series = typeof SERIES[number][0];

/** The ways by which a group comes; `computed`: of two others, as usage is of used and total. */
export const WAYS = ["stats", "NATS", "ZMQ", "HTTP", "card", "computed"] as const;
export type Way = typeof WAYS[number];

const STATS = ["stats", "stats", "stats", "stats", "stats", "stats", "stats", "NATS", "–"];

/** What the releases give that have their statistics, say them by themselves, and have a page. */
const THRICE = [
  "stats NATS HTTP",
  "stats NATS HTTP",
  "stats NATS",
  "stats NATS",
  "stats NATS",
  "stats NATS HTTP",
  "stats NATS HTTP",
  "NATS",
  "–",
];

/** By release, the ways by which each group comes, in the order of `SERIES`. The test plays all captures of the release. */
export const RELEASES: Readonly<Record<string, readonly string[]>> = {
  "0.1.0": STATS,
  "0.1.1": STATS,
  "0.2.1": STATS,
  "0.3.0": STATS,
  "0.3.2": STATS,
  "0.5.0": THRICE,
  "0.6.0": THRICE,
  "0.7.1": ["NATS HTTP", "NATS HTTP", "NATS", "NATS", "NATS", "NATS HTTP", "NATS HTTP", "NATS", "–"],
  "0.8.1": ["NATS HTTP", "HTTP", "–", "–", "–", "HTTP", "HTTP", "–", "–"],
  "0.9.1": ["NATS", "card", "–", "card", "–", "computed", "–", "NATS", "NATS"],
  "1.2.1": ["NATS ZMQ", "card", "NATS ZMQ", "card", "NATS ZMQ", "computed", "–", "–", "NATS ZMQ"],
  "1.6.1": ["NATS ZMQ", "card", "ZMQ HTTP", "card", "ZMQ HTTP", "HTTP computed", "–", "–", "–"],
};
