import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import type { Channel } from "../../lib/events/observation.ts";
import { PREFIX } from "../../lib/exposition/family.ts";
import type { PageReader } from "../page_reader.ts";
import { compare, exactly, type Row, type Shown } from "./comparison.ts";

/** The series of our page that are compared. */
export const SERIES = {
  used: "llm_kv_blocks_active",
  total: "llm_kv_blocks_total",
  running: "llm_requests_active_slots",
  slots: "llm_requests_total_slots",
  hitRate: "llm_kv_hit_rate_percent",
  waiting: `${PREFIX}worker_requests_waiting`,
  usage: `${PREFIX}worker_kv_cache_usage_ratio`,
  hitRatio: `${PREFIX}worker_prefix_cache_hit_ratio`,
  inFlight: `${PREFIX}worker_requests_in_flight`,
  stuckSeconds: `${PREFIX}worker_stuck_seconds`,
  ranksExpected: `${PREFIX}worker_ranks_expected`,
  ranksHeard: `${PREFIX}worker_ranks_heard`,
} as const;

/** The series of one rank of a worker. */
export const RANK_SERIES = {
  usage: `${PREFIX}rank_kv_cache_usage_ratio`,
  hitRatio: `${PREFIX}rank_prefix_cache_hit_ratio`,
  isSilent: `${PREFIX}rank_silent`,
} as const;

/** What our page has of each worker, in this order. */
export function numbersOf(page: PageReader, series: string, ids: readonly WorkerId[]): Shown[] {
  const values = page.byWorker(series);
  return ids.map((id) => values[id]);
}

/** What our page has of each of a worker's ranks, from rank 0 on. */
export function rankNumbersOf(
  page: PageReader,
  series: string,
  { id, ranks }: { readonly id: WorkerId; readonly ranks: number },
): Shown[] {
  return Array.from(
    { length: ranks },
    (_, rank) => page.value(series, { worker_id: id, dp_rank: `${rank}` }),
  );
}

/** What our page says of each worker beside its numbers, in this order. */
export function infoOf(page: PageReader, label: string, ids: readonly WorkerId[]): Shown[] {
  const samples = page.labels(`${PREFIX}worker_info`);
  return ids.map((id) => samples.find(({ worker_id }) => worker_id === id)?.[label]);
}

/** These workers, and nobody else, are on the page. */
export function workersRow(what: string, ids: readonly WorkerId[], page: PageReader): Row {
  return compare(what, ids.toSorted().map(exactly), Object.keys(page.states()).sort());
}

/** By these ways, and no other, the page sees each of the workers. */
export function channelRow(
  what: string,
  { ids, channels }: { readonly ids: readonly WorkerId[]; readonly channels: readonly Channel[] },
  page: PageReader,
): Row {
  const samples = page.labels(`${PREFIX}worker_channel`);
  const waysTo = (id: WorkerId) =>
    samples.flatMap(({ worker_id, channel }) => worker_id === id ? [channel!] : []).sort().join("+");
  return compare(what, ids.map(() => exactly(channels.toSorted().join("+"))), ids.map(waysTo));
}
