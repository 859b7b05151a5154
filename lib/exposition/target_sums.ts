import type { WorkerNumbers } from "../fleet/worker_numbers.ts";
import type { Estimate, WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import type { EndpointCounters } from "../scrape/answer.ts";
import { distinctEndpoints } from "./endpoints.ts";
import { ENDPOINT, type Family, PREFIX } from "./family.ts";

function total(name: string, help: string, value: (numbers: WorkerNumbers) => number | undefined): Family {
  return count(name, help, ({ numbers }) => value(numbers));
}

/** How many there are of something, over all workers; absent if nothing is known of it at any worker. */
function count(name: string, help: string, value: (worker: WorkerSnapshot) => number | undefined): Family {
  return {
    name: `${PREFIX}target_${name}`,
    type: "gauge",
    help,
    source: { per: "workers", how: "sum", value },
  };
}

function mean(name: string, help: string, value: (numbers: WorkerNumbers) => number | undefined): Family {
  const source = {
    per: "workers",
    how: "mean",
    value: ({ numbers }: WorkerSnapshot) => value(numbers),
  } as const;
  return { name: `${PREFIX}target_${name}`, type: "gauge", help, source };
}

function endpointTotal(
  name: string,
  help: string,
  value: (counters: EndpointCounters) => number | undefined,
): Family {
  return {
    name: `${PREFIX}target_endpoint_${name}`,
    type: "gauge",
    help: `${help} Sum over the workers that are there: falls when one goes.`,
    source: {
      per: "workers_by",
      label: ENDPOINT,
      visit({ endpoints }, add) {
        for (const counters of distinctEndpoints(endpoints)) {
          add(counters.endpoint.toWellFormed(), value(counters));
        }
      },
    },
  };
}

function routerTotal(
  name: string,
  help: string,
  value: (estimate: Estimate) => number | undefined,
): Family {
  return {
    name: `${PREFIX}target_router_${name}`,
    type: "gauge",
    help,
    source: {
      per: "workers_by",
      label: "router",
      visit({ estimates }, add) {
        for (const estimate of estimates) add(estimate.router, value(estimate));
      },
    },
  };
}

/** What stands in the place of workers' own series with `--worker-labels none`. */
export const TARGET_SUMS: readonly Family[] = [
  total("kv_blocks_used", "Active KV cache blocks of all workers.", ({ activeBlocks }) => activeBlocks),
  total("kv_blocks_capacity", "KV cache blocks that all workers have.", ({ totalBlocks }) => totalBlocks),
  total("request_slots_used", "Active request slots of all workers.", ({ activeSlots }) => activeSlots),
  total("request_slots_capacity", "Request slots that all workers have.", ({ totalSlots }) => totalSlots),
  total("requests_waiting", "Requests that wait at any worker.", ({ requestsWaiting }) => requestsWaiting),
  total(
    "requests_in_flight",
    "Requests that workers have taken and not answered yet, as their pages say; never part of those above.",
    ({ requestsInFlight }) => requestsInFlight,
  ),
  count(
    "workers_stuck",
    "Workers with requests in flight and no finished forward pass for --stuck-after; absent while none is known to be.",
    ({ stuckSeconds }) => stuckSeconds === undefined ? undefined : 1,
  ),
  count(
    "ranks_expected",
    "Data-parallel ranks of the workers with several, as their model cards say.",
    ({ coverage }) => coverage?.expected,
  ),
  count(
    "ranks_heard",
    "Ranks that the numbers of these workers are over: below ranks_expected the sums are those of some ranks only.",
    ({ coverage }) => coverage?.heard,
  ),
  count(
    "ranks_silent",
    "Ranks whose heartbeats have ended, of workers with several ranks or a silent one.",
    ({ ranks }) => sumOf(ranks, ({ isSilent }) => isSilent === undefined ? undefined : Number(isSilent)),
  ),
  mean(
    "kv_cache_usage_ratio",
    "Used part of the KV cache, 0 to 1: the mean of the workers that say it.",
    ({ cacheUsageRatio }) => cacheUsageRatio,
  ),
  mean(
    "prefix_cache_hit_ratio",
    "Prefix cache hit rate, 0 to 1: the mean of the workers that say it.",
    ({ prefixHitRatio }) => prefixHitRatio,
  ),
  total(
    "spec_decode_step_drafts",
    "Drafts of all workers' last engine steps, not a running total.",
    ({ specDecode }) => specDecode?.drafts,
  ),
  total(
    "spec_decode_step_draft_tokens",
    "Draft tokens of all workers' last engine steps, not a running total.",
    ({ specDecode }) => specDecode?.draftTokens,
  ),
  total(
    "spec_decode_step_accepted_tokens",
    "Accepted tokens of all workers' last engine steps, not a running total.",
    ({ specDecode }) => specDecode?.acceptedTokens,
  ),
  count(
    "workers_registered",
    "Workers that etcd lists; absent while etcd does not say.",
    ({ registered }) => registered === undefined ? undefined : Number(registered),
  ),
  {
    name: `${PREFIX}target_channel_workers`,
    type: "gauge",
    help: "Workers by each way by which they are seen; one that is seen by several counts in each.",
    source: {
      per: "workers_by",
      label: "channel",
      visit({ channels }, add) {
        for (const channel of channels) add(channel, 1);
      },
    },
  },
  endpointTotal(
    "requests",
    "Requests counted for this endpoint, failed ones too.",
    ({ requests }) => requests,
  ),
  endpointTotal("errors", "Failed requests counted for this endpoint.", ({ errors }) => errors),
  endpointTotal(
    "processing_seconds",
    "Time spent on this endpoint's requests.",
    ({ processingSeconds }) => processingSeconds,
  ),
  routerTotal(
    "active_decode_blocks",
    "Blocks in use by all ranks as a router estimates them.",
    ({ activeDecodeBlocks }) => activeDecodeBlocks,
  ),
  routerTotal(
    "active_prefill_tokens",
    "Tokens in prefill at all ranks as a router estimates them.",
    ({ activePrefillTokens }) => activePrefillTokens,
  ),
];

/** Undefined if no item has a value. */
function sumOf<T>(items: readonly T[], value: (item: T) => number | undefined): number | undefined {
  let sum: number | undefined;
  for (const item of items) {
    const one = value(item);
    if (one !== undefined) sum = (sum ?? 0) + one;
  }
  return sum;
}
