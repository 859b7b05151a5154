import assert from "node:assert/strict";
import { PageReader } from "../../tools/page_reader.ts";
import { readFleet, type Worker } from "./api_reader.ts";

/** A number of a worker: its name here, its series, and its field in the API. */
const NUMBERS = {
  running: ["llm_requests_active_slots", "slots_active"],
  slots: ["llm_requests_total_slots", "slots_total"],
  waiting: ["dynamo_metrics_worker_requests_waiting", "requests_waiting"],
  used: ["llm_kv_blocks_active", "kv_blocks_used"],
  total: ["llm_kv_blocks_total", "kv_blocks_total"],
  usage: ["dynamo_metrics_worker_kv_cache_usage_ratio", "cache_usage"],
  hits: ["dynamo_metrics_worker_prefix_cache_hit_ratio", "prefix_hit"],
  inFlight: ["dynamo_metrics_worker_requests_in_flight", "requests_in_flight"],
  ranksExpected: ["dynamo_metrics_worker_ranks_expected", "ranks_expected"],
  ranksHeard: ["dynamo_metrics_worker_ranks_heard", "ranks_heard"],
} as const;

/** The same of a number of one rank. */
const RANK_NUMBERS = {
  rankRunning: ["dynamo_metrics_rank_requests_running", "requests_running"],
  rankWaiting: ["dynamo_metrics_rank_requests_waiting", "requests_waiting"],
  rankUsed: ["dynamo_metrics_rank_kv_blocks_used", "kv_blocks_used"],
  rankUsage: ["dynamo_metrics_rank_kv_cache_usage_ratio", "cache_usage"],
  rankHits: ["dynamo_metrics_rank_prefix_cache_hit_ratio", "prefix_hit"],
  rankSilent: ["dynamo_metrics_rank_silent", "silent"],
} as const;

/** What is to be shown. A field that is left out may be anything; `undefined` stands for a number that is absent. */
export type Shown =
  & { readonly [name in keyof typeof NUMBERS]?: number | undefined }
  & {
    readonly [
      /** By rank, from rank 0 on. */
      name in keyof typeof RANK_NUMBERS
    ]?: readonly (number | undefined)[];
  };

/** What `/metrics` and the API say of a worker at about the same time. */
export interface ShownWorker {
  readonly page: PageReader;
  readonly worker: Worker;
}

/** @throws {AssertionError} if the worker is not listed */
export async function shownWorker(url: string, id: string): Promise<ShownWorker> {
  const [fleet, response] = await Promise.all([readFleet(url), fetch(`${url}/metrics`)]);
  const page = new PageReader(await response.text());
  const worker = fleet.targets[0]!.workers.find((worker) => worker.id === id);
  assert.ok(worker, `worker ${id} is not listed`);
  return { page, worker };
}

/** Holds both outputs against what is right. Numbers are compared to six digits. */
export function assertShown({ page, worker }: ShownWorker, right: Shown): void {
  const wanted: Record<string, unknown> = {};
  const metrics: Record<string, unknown> = {};
  const api: Record<string, unknown> = {};
  const id = { worker_id: worker.id };
  for (const [name, value] of Object.entries(right)) {
    if (Array.isArray(value)) {
      const [series, field] = RANK_NUMBERS[name as keyof typeof RANK_NUMBERS];
      const ranks = value.map((_, rank) => String(rank));
      wanted[name] = value.map(rounded);
      metrics[name] = ranks.map((dp_rank) => rounded(page.value(series, { ...id, dp_rank })));
      api[name] = ranks.map((rank) => rounded(rankOf(worker, rank)?.[field]));
    } else {
      const [series, field] = NUMBERS[name as keyof typeof NUMBERS];
      wanted[name] = rounded(value);
      metrics[name] = rounded(page.value(series, id));
      api[name] = rounded(worker[field]);
    }
  }
  assert.deepEqual({ metrics, api }, { metrics: wanted, api: wanted });
}

/** Used blocks and usage of one row are of one moment: they agree within one block for each rank. */
export function assertOneMoment({ page, worker }: ShownWorker): void {
  const id = { worker_id: worker.id };
  const [used, total, usage] = (["used", "total", "usage"] as const).map((name) =>
    page.value(NUMBERS[name][0], id)
  );
  assert.ok(usage === undefined || usage <= 1, `the usage is ${usage}`);
  if (used === undefined || total === undefined || usage === undefined) return;
  const ranks = Math.max(1, worker.ranks?.length ?? 0);
  // Used blocks and usage are of the ranks that are heard, the total is of all.
  const { ranks_heard: heard = 1, ranks_expected: expected = heard } = worker;
  const apart = Math.abs(used - usage * total * heard / expected);
  assert.ok(apart <= ranks, `${used} of ${total} blocks are used, and the usage is ${usage}`);
}

function rankOf(worker: Worker, rank: string): Readonly<Record<string, unknown>> | undefined {
  return worker.ranks?.find(({ dp_rank }: { readonly dp_rank: number }) => String(dp_rank) === rank);
}

function rounded(value: unknown): unknown {
  if (typeof value === "boolean") return Number(value);
  return typeof value === "number" ? Number(value.toPrecision(6)) : value;
}
