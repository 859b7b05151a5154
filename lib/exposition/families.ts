import type { SpecDecode } from "../dynamo/load.ts";
import { FINDING_KINDS } from "../findings/codes.ts";
import { findingsOf } from "../findings/findings.ts";
import type { HitRateTotals } from "../fleet/hit_rates.ts";
import type { RankNumbers } from "../fleet/rank_reading.ts";
import type { WorkerNumbers } from "../fleet/worker_numbers.ts";
import { connectionOf, type Snapshot, type TargetSnapshot } from "../fleet/snapshot.ts";
import type { Estimate, WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import type { EndpointCounters } from "../scrape/answer.ts";
import type { Instant } from "../timing.ts";
import { type Family, NAMESPACE, PREFIX, TARGET } from "./family.ts";
import { TARGET_SUMS } from "./target_sums.ts";

const ofNumbers = (value: (numbers: WorkerNumbers) => number | undefined) => (worker: WorkerSnapshot) =>
  value(worker.numbers);
const ofSpecDecode = (value: (spec: SpecDecode) => number | undefined) =>
  ofNumbers(({ specDecode }) => specDecode && value(specDecode));
const seconds = (at: Instant | undefined) => at && at.epochMs / 1_000;
const connectedTo = (kind: string, snapshot: Snapshot) => {
  const store = connectionOf("store", snapshot);
  return store?.kind === kind ? Number(store.connected) : undefined;
};
const flag = (value: boolean | undefined) => value === undefined ? undefined : Number(value);

/** A worker's number under the original's name and labels. */
function originalGauge(
  name: string,
  help: string,
  value: (numbers: WorkerNumbers) => number | undefined,
): Family {
  return {
    name,
    type: "gauge",
    help,
    source: { per: "worker", naming: "original", value: ofNumbers(value) },
  };
}

function workerGauge(
  name: string,
  help: string,
  value: (worker: WorkerSnapshot) => number | undefined,
): Family {
  return { name: PREFIX + name, type: "gauge", help, source: { per: "worker", naming: "dynamo", value } };
}

function endpointCounter(
  name: string,
  help: string,
  value: (counters: EndpointCounters) => number | undefined,
): Family {
  return { name: PREFIX + name, type: "counter", help, source: { per: "endpoint", value } };
}

function rankGauge(name: string, help: string, value: (rank: RankNumbers) => number | undefined): Family {
  return { name: PREFIX + name, type: "gauge", help, source: { per: "rank", value } };
}

function estimateGauge(
  name: string,
  help: string,
  value: (estimate: Estimate) => number | undefined,
): Family {
  return { name: PREFIX + name, type: "gauge", help, source: { per: "estimate", value } };
}

function targetGauge(
  name: string,
  help: string,
  value: (target: TargetSnapshot) => number | undefined,
): Family {
  return { name: PREFIX + name, type: "gauge", help, source: { per: "target", naming: "dynamo", value } };
}

function namespaceCounter(name: string, help: string, value: (totals: HitRateTotals) => number): Family {
  return { name: PREFIX + name, type: "counter", help, source: { per: "namespace", value } };
}

function counter(name: string, help: string, labels: readonly string[] = []): Family {
  return { name: PREFIX + name, type: "counter", help, source: { per: "counters", labels } };
}

function ownProcess(name: string, type: "counter" | "gauge", help: string): Family {
  return { name: `process_${name}`, type, help, source: { per: "counters", labels: [] } };
}

const TABLE: readonly Family[] = [
  originalGauge("llm_kv_blocks_active", "Active KV cache blocks", (numbers) => numbers.activeBlocks),
  originalGauge("llm_kv_blocks_total", "Total KV cache blocks", (numbers) => numbers.totalBlocks),
  originalGauge("llm_requests_active_slots", "Active request slots", (numbers) => numbers.activeSlots),
  originalGauge("llm_requests_total_slots", "Total request slots", (numbers) => numbers.totalSlots),
  originalGauge(
    "llm_kv_hit_rate_percent",
    "KV hit rate percentage per worker",
    (numbers) => numbers.prefixHitRatio,
  ),
  {
    name: "llm_load_avg",
    type: "gauge",
    help: "Average load across workers",
    source: { per: "target", naming: "original", value: ({ load }) => load?.avg },
  },
  {
    name: "llm_load_std",
    type: "gauge",
    help: "Load standard deviation across workers",
    source: { per: "target", naming: "original", value: ({ load }) => load?.std },
  },
  {
    name: "llm_kv_hit_rate_isl_blocks",
    type: "counter",
    help: "Cumulative count of ISL blocks in KV hit rate events",
    source: { per: "hit_rate", value: ({ islBlocks }) => islBlocks },
  },
  {
    name: "llm_kv_hit_rate_overlap_blocks",
    type: "counter",
    help: "Cumulative count of overlapping blocks in KV hit rate events",
    source: { per: "hit_rate", value: ({ overlapBlocks }) => overlapBlocks },
  },
  workerGauge(
    "worker_requests_waiting",
    "Requests that wait for a slot, as the worker says (num_requests_waiting, queued requests of a forward pass).",
    ofNumbers((numbers) => numbers.requestsWaiting),
  ),
  workerGauge(
    "worker_requests_in_flight",
    "Requests that the worker has taken and not answered yet, as its page says of generate: running ones, waiting ones, and those not yet in the engine. Never part of running or waiting.",
    ofNumbers((numbers) => numbers.requestsInFlight),
  ),
  workerGauge(
    "worker_stuck_seconds",
    "How long requests have been in flight without a finished forward pass, once that is --stuck-after; absent if the worker is not stuck, or if its passes cannot be heard.",
    ({ stuckSeconds }) => stuckSeconds,
  ),
  workerGauge(
    "worker_ranks_expected",
    "Data-parallel ranks of a worker with several, as its model card says.",
    ({ coverage }) => coverage?.expected,
  ),
  workerGauge(
    "worker_ranks_heard",
    "How many ranks the worker's numbers include, of a worker with several; if its numbers differ, the smallest count. Below worker_ranks_expected the numbers are those of some ranks only.",
    ({ coverage }) => coverage?.heard,
  ),
  workerGauge(
    "worker_kv_cache_usage_ratio",
    "Used part of the KV cache, 0 to 1, of the same moment as llm_kv_blocks_active: as the worker says it, else used / total blocks; of several ranks the mean.",
    ofNumbers((numbers) => numbers.cacheUsageRatio),
  ),
  workerGauge(
    "worker_prefix_cache_hit_ratio",
    "Prefix cache hit rate, 0 to 1: hits over queries of the last five minutes if the worker's page counts them, else of its last update (gpu_prefix_cache_hit_rate).",
    ofNumbers((numbers) => numbers.prefixHitRatio),
  ),
  workerGauge(
    "worker_spec_decode_tokens",
    "Configured number of speculative tokens (num_spec_tokens).",
    ofSpecDecode(({ specTokens }) => specTokens),
  ),
  workerGauge(
    "worker_spec_decode_step_drafts",
    "Drafts of the worker's last engine step, not a running total (num_drafts).",
    ofSpecDecode(({ drafts }) => drafts),
  ),
  workerGauge(
    "worker_spec_decode_step_draft_tokens",
    "Draft tokens of the worker's last engine step, not a running total (num_draft_tokens).",
    ofSpecDecode(({ draftTokens }) => draftTokens),
  ),
  workerGauge(
    "worker_spec_decode_step_accepted_tokens",
    "Accepted tokens of the worker's last engine step, not a running total (num_accepted_tokens).",
    ofSpecDecode(({ acceptedTokens }) => acceptedTokens),
  ),
  {
    name: `${PREFIX}worker_info`,
    type: "gauge",
    help:
      "1 for each worker that is registered or heard: Dynamo's release (or from-to, as far as what it shows tells), data-parallel rank, version of its NATS service, shape of its load record, what it does (prefill, decode, aggregated) and the model, as far as they are known.",
    source: {
      per: "worker",
      naming: "dynamo",
      value: ({ service, card, release }) => service || card || release ? 1 : undefined,
      more: {
        names: ["release", "dp_rank", "service_version", "load_shape", "worker_type", "model"],
        labels: infoLabels,
      },
    },
  },
  {
    name: `${PREFIX}worker_channel`,
    type: "gauge",
    help:
      "1 for each way by which a worker is seen: stats (answers on NATS), event_nats, event_zmq, http (its page), card (its model card in etcd).",
    source: { per: "channel" },
  },
  rankGauge(
    "rank_kv_blocks_used",
    "KV blocks in use by one rank, of workers with several.",
    ({ usedBlocks }) => usedBlocks,
  ),
  rankGauge(
    "rank_requests_running",
    "Requests in the last forward pass of one rank, of workers with several.",
    ({ running }) => running,
  ),
  rankGauge(
    "rank_requests_waiting",
    "Requests that wait at one rank, of workers with several.",
    ({ waiting }) => waiting,
  ),
  rankGauge(
    "rank_kv_cache_usage_ratio",
    "Used part of the KV cache of one rank, 0 to 1, of workers with several.",
    ({ cacheUsageRatio }) => cacheUsageRatio,
  ),
  rankGauge(
    "rank_prefix_cache_hit_ratio",
    "Prefix cache hit rate of one rank, 0 to 1, of workers with several.",
    ({ prefixHitRatio }) => prefixHitRatio,
  ),
  rankGauge(
    "rank_silent",
    "1 for a rank that sent heartbeats and sent none for --stale-after, 0 while it sends them; of workers with several ranks or a silent one.",
    ({ isSilent }) => flag(isSilent),
  ),
  estimateGauge(
    "router_active_decode_blocks",
    "Blocks in use by a rank as a router estimates them; never part of the worker's own numbers.",
    ({ activeDecodeBlocks }) => activeDecodeBlocks,
  ),
  estimateGauge(
    "router_active_prefill_tokens",
    "Tokens in prefill at a rank as a router estimates them.",
    ({ activePrefillTokens }) => activePrefillTokens,
  ),
  endpointCounter(
    "endpoint_requests_total",
    "Requests that the worker's NATS service counted for this endpoint since its start, failed ones too.",
    ({ requests }) => requests,
  ),
  endpointCounter(
    "endpoint_errors_total",
    "Failed requests that the worker's NATS service counted for this endpoint since its start.",
    ({ errors }) => errors,
  ),
  endpointCounter(
    "endpoint_processing_seconds_total",
    "Time that the worker's NATS service spent on this endpoint's requests since its start.",
    ({ processingSeconds }) => processingSeconds,
  ),
  targetGauge(
    "up",
    "1 when all that the target needs was reached, also with no workers: the last round, or etcd where nothing comes by NATS.",
    ({ up }) => flag(up),
  ),
  {
    name: `${PREFIX}workers`,
    type: "gauge",
    help:
      "Workers by state: discovered (registered, never answered), responding, no_data (answers without load data), undecodable, silent (no answer for --stale-after).",
    source: {
      per: "state",
      value: ({ workersByState }, state) => workersByState[state],
    },
  },
  {
    name: `${PREFIX}worker_state`,
    type: "gauge",
    help: "1 for the state that a worker is in.",
    source: {
      per: "worker",
      naming: "dynamo",
      value: () => 1,
      more: { names: ["state"], labels: ({ state }) => [state] },
    },
  },
  workerGauge(
    "worker_last_answer_timestamp_seconds",
    "When the worker last answered, of silent workers too.",
    ({ lastAnswerAt }) => seconds(lastAnswerAt),
  ),
  workerGauge(
    "worker_registered",
    "1 while etcd lists the worker, 0 while it does not (it drains, or etcd lost its data); absent while etcd does not say.",
    ({ registered }) => flag(registered),
  ),
  targetGauge(
    "membership_from_etcd",
    "1 while etcd says who is there, 0 while it is who answers.",
    ({ membershipFromEtcd }) => flag(membershipFromEtcd),
  ),
  targetGauge(
    "round_workers_expected",
    "Workers that had answered before and were not gone when the last round began, silent ones too.",
    ({ lastRound }) => lastRound?.expected,
  ),
  targetGauge(
    "round_workers_answered",
    "Workers that answered within the last round, newcomers too.",
    ({ lastRound }) => lastRound?.answered,
  ),
  targetGauge(
    "round_workers_decoded",
    "Workers that answered with usable load within the last round.",
    ({ lastRound }) => lastRound?.decoded,
  ),
  targetGauge(
    "last_complete_round_timestamp_seconds",
    "When the last round ended in which all expected workers answered.",
    ({ lastCompleteRoundAt }) => seconds(lastCompleteRoundAt),
  ),
  targetGauge(
    "oldest_load_timestamp_seconds",
    "When the oldest load on this page arrived.",
    ({ loadFrom }) => seconds(loadFrom?.oldest),
  ),
  targetGauge(
    "newest_load_timestamp_seconds",
    "When the newest load on this page arrived.",
    ({ loadFrom }) => seconds(loadFrom?.newest),
  ),
  targetGauge(
    "load_workers",
    "Workers that llm_load_avg and llm_load_std are over: those with load that is not stale.",
    ({ load }) => load?.workers ?? 0,
  ),
  targetGauge(
    "load_blocks",
    "Sum of their active KV blocks: load_blocks / load_workers is the average of any group of targets.",
    ({ load }) => load?.blocks ?? 0,
  ),
  targetGauge(
    "load_blocks_squared",
    "Sum of the squares of their active KV blocks, for the deviation of any group of targets.",
    ({ load }) => load?.blocksSquared ?? 0,
  ),
  namespaceCounter(
    "kv_hit_rate_isl_blocks_total",
    "Blocks of the inputs in all hit-rate events, of all workers ever named; never falls.",
    ({ islBlocks }) => islBlocks,
  ),
  namespaceCounter(
    "kv_hit_rate_overlap_blocks_total",
    "Blocks found in a worker's cache in all hit-rate events, of all workers ever named; never falls.",
    ({ overlapBlocks }) => overlapBlocks,
  ),
  counter(
    "workers_gone_total",
    "Workers that went: deregistered (etcd does not list them and they do not answer), forgotten (no answer for --forget-after, and no etcd that lists them).",
    [...TARGET, "reason"],
  ),
  targetGauge(
    "last_round_timestamp_seconds",
    "When the last round ended that could be sent and collected.",
    ({ lastGoodRoundAt }) => seconds(lastGoodRoundAt),
  ),
  {
    name: `${PREFIX}nats_connected`,
    type: "gauge",
    help: "1 while connected to NATS; absent with --no-nats.",
    source: { per: "snapshot", value: (snapshot) => flag(connectionOf("nats", snapshot)?.connected) },
  },
  {
    name: `${PREFIX}nats_reconnects_total`,
    type: "counter",
    help: "Connections to NATS after the first.",
    source: { per: "snapshot", value: (snapshot) => connectionOf("nats", snapshot)?.reconnects },
  },
  {
    name: `${PREFIX}store_connected`,
    type: "gauge",
    help:
      "1 while the store that lists the workers can be read: etcd, or file (the folder of file discovery); absent with --no-etcd.",
    source: {
      per: "snapshot_by",
      labels: ["store"],
      visit(snapshot, add) {
        const store = connectionOf("store", snapshot);
        if (store) add([store.kind], Number(store.connected));
      },
    },
  },
  {
    name: `${PREFIX}findings`,
    type: "gauge",
    help:
      "What is wrong now, by code (docs/findings.md): error if numbers are missing or wrong, warning if somebody should look, info if it is good to know.",
    source: {
      per: "snapshot_by",
      labels: ["code", "severity"],
      visit(snapshot, add) {
        for (const [code, count] of findingsOf(snapshot).counts) {
          add([code, FINDING_KINDS[code].severity], count);
        }
      },
    },
  },
  {
    name: `${PREFIX}etcd_connected`,
    type: "gauge",
    help:
      'Deprecated, see dynamo_metrics_store_connected{store="etcd"}. 1 while list and watch of etcd work; absent where it is not used.',
    source: { per: "snapshot", value: (snapshot) => connectedTo("etcd", snapshot) },
  },
  {
    name: `${PREFIX}file_store_readable`,
    type: "gauge",
    help:
      'Deprecated, see dynamo_metrics_store_connected{store="file"}. 1 while the folder of file discovery can be read; absent where it is not used.',
    source: { per: "snapshot", value: (snapshot) => connectedTo("file", snapshot) },
  },
  counter("rounds_total", "Rounds of questions to the workers, failed ones too.", TARGET),
  counter("rounds_failed_total", "Rounds that could not be sent and collected.", TARGET),
  {
    name: `${PREFIX}round_duration_seconds`,
    type: "histogram",
    help: "From the question to the end of the round, rounds that did not fail.",
    source: { per: "counters", labels: TARGET },
  },
  counter("replies_total", "Replies to questions, refused ones too.", TARGET),
  counter(
    "replies_rejected_total",
    "Replies refused: not_json, envelope (no statistics), too_large; or not counted for one of their workers: duplicate_id (replaced by a later one of the same round), late (that worker had answered a newer question, or is gone), too_many_workers (100,000 are there, and etcd does not list it).",
    [...TARGET, "reason"],
  ),
  counter(
    "workers_rejected_total",
    "Entries of good replies that could not be used: worker_id (none in the subject), load (a record that is none).",
    [...TARGET, "reason"],
  ),
  counter(
    "events_total",
    "Events heard, refused ones too. kv-hit-rate comes by namespace: llm_kv_hit_rate_isl_blocks and llm_kv_hit_rate_overlap_blocks carry the component and endpoint asked for all the same.",
    [NAMESPACE, "event"],
  ),
  counter(
    "events_missed_total",
    "Events that their publisher numbered and that did not come.",
    [NAMESPACE, "event"],
  ),
  counter(
    "events_rejected_total",
    "Events refused: not_json, not_msgpack, fields (one missing or of the wrong kind); or of nobody that is known: unknown_worker, too_many_workers (100,000 are there, and etcd does not list it).",
    [
      NAMESPACE,
      "event",
      "reason",
    ],
  ),
  counter("pages_total", "Workers' HTTP pages asked for, refused ones too.", TARGET),
  counter(
    "pages_rejected_total",
    "Workers' HTTP pages refused: timeout, unreachable, status (not 200, redirects too), too_large, no_load (nothing in it that is known), other_worker (not of those whose address it has, or of which of several it does not say).",
    [...TARGET, "reason"],
  ),
  counter("pushes_total", "Pushes to the Pushgateway, failed ones too; only when pushing."),
  counter("pushes_failed_total", "Pushes that the Pushgateway did not take; only when pushing."),
  {
    name: `${PREFIX}last_push_timestamp_seconds`,
    type: "gauge",
    help: "When the Pushgateway last took a push; only when pushing.",
    source: { per: "counters", labels: [] },
  },
  counter(
    "publishes_total",
    "Aggregates sent to NATS; one that it then refuses is counted in publishes_skipped_total too.",
    TARGET,
  ),
  counter(
    "publishes_skipped_total",
    "Aggregates not published on NATS: max_payload (larger than the server takes), permission, disconnected.",
    [...TARGET, "reason"],
  ),
  {
    name: `${PREFIX}build_info`,
    type: "gauge",
    help: "1; what is running.",
    source: { per: "counters", labels: ["version", "revision", "deno_version"] },
  },
  ownProcess("cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds."),
  ownProcess("cpu_system_seconds_total", "counter", "Total system CPU time spent in seconds."),
  ownProcess("cpu_user_seconds_total", "counter", "Total user CPU time spent in seconds."),
  ownProcess("heap_bytes", "gauge", "Process heap size in bytes (Linux)."),
  ownProcess("max_fds", "gauge", "Maximum number of open file descriptors (Linux)."),
  ownProcess("open_fds", "gauge", "Number of open file descriptors (Linux)."),
  ownProcess("resident_memory_bytes", "gauge", "Resident memory size in bytes."),
  ownProcess("start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds."),
  ownProcess("virtual_memory_bytes", "gauge", "Virtual memory size in bytes (Linux)."),
];

/** Every metric there is, by name: the one table of names, types, help and labels. */
export const FAMILIES: readonly Family[] = [...TABLE, ...TARGET_SUMS].toSorted((a, b) =>
  a.name < b.name ? -1 : 1
);

function infoLabels({ load, service, card, release }: WorkerSnapshot): (string | undefined)[] {
  return [
    release,
    load?.dpRank?.toString(),
    service?.version?.slice(0, MAX_VERSION),
    load?.shape,
    card?.workerType,
    card?.model?.slice(0, MAX_MODEL),
  ];
}

/** Text from outside that becomes a label is cut. */
const MAX_VERSION = 64;
const MAX_MODEL = 256;
