import type { RankNumbers, WorkerNumbers } from "../fleet/heard.ts";
import type { Estimate, WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import type { EndpointCounters } from "../scrape/answer.ts";
import type { Instant } from "../timing.ts";
import { distinctEndpoints } from "./endpoints.ts";

type Scalar = string | number | boolean | undefined;

/** What an object of the API holds, by name. One table both writes and compares, so that no change is overlooked. */
type Fields<T> = readonly (readonly [name: string, value: (from: T) => Scalar])[];

const ofNumbers = (value: (numbers: WorkerNumbers) => number | undefined) => (worker: WorkerSnapshot) =>
  value(worker.numbers);

/** A worker's fields but its lists, and when it was last seen. */
const WORKER: Fields<WorkerSnapshot> = [
  ["id", ({ id }) => id],
  ["state", ({ state }) => state],
  ["registered", ({ registered }) => registered],
  ["release", ({ release }) => release],
  ["service_version", ({ service }) => cut(service?.version)],
  ["load_shape", ({ load }) => load?.shape],
  ["worker_type", ({ card }) => card?.workerType],
  ["model", ({ card }) => cut(card?.model)],
  ["kv_blocks_used", ofNumbers(({ activeBlocks }) => activeBlocks)],
  ["kv_blocks_total", ofNumbers(({ totalBlocks }) => totalBlocks)],
  ["slots_active", ofNumbers(({ activeSlots }) => activeSlots)],
  ["slots_total", ofNumbers(({ totalSlots }) => totalSlots)],
  ["requests_waiting", ofNumbers(({ requestsWaiting }) => requestsWaiting)],
  ["cache_usage", ofNumbers(({ cacheUsageRatio }) => cacheUsageRatio)],
  ["prefix_hit", ofNumbers(({ prefixHitRatio }) => prefixHitRatio)],
];

const RANK: Fields<RankNumbers> = [
  ["dp_rank", ({ dpRank }) => dpRank],
  ["kv_blocks_used", ({ usedBlocks }) => usedBlocks],
  ["requests_running", ({ running }) => running],
  ["requests_waiting", ({ waiting }) => waiting],
];

const ESTIMATE: Fields<Estimate> = [
  ["router", ({ router }) => router],
  ["dp_rank", ({ dpRank }) => dpRank],
  ["active_decode_blocks", ({ activeDecodeBlocks }) => activeDecodeBlocks],
  ["active_prefill_tokens", ({ activePrefillTokens }) => activePrefillTokens],
];

const ENDPOINT: Fields<EndpointCounters> = [
  ["name", ({ endpoint }) => endpoint.toWellFormed()],
  ["requests", ({ requests }) => requests],
  ["errors", ({ errors }) => errors],
  ["processing_seconds", ({ processingSeconds }) => processingSeconds],
];

/** The API's JSON of one worker. What is not known is absent. */
export function workerJson(worker: WorkerSnapshot): string {
  const { channels, lastAnswerAt, ranks, estimates, endpoints } = worker;
  return JSON.stringify({
    ...fieldsOf(worker, WORKER),
    channels: [...channels],
    ...(lastAnswerAt && { last_seen_at: timeText(lastAnswerAt) }),
    ...listOf("ranks", ranks, RANK),
    ...listOf("estimates", estimates, ESTIMATE),
    ...listOf("endpoints", distinctEndpoints(endpoints), ENDPOINT),
  });
}

/** Whether the JSON of both is the same but for `last_seen_at`. */
export function saysTheSame(a: WorkerSnapshot, b: WorkerSnapshot): boolean {
  return isSame(a, b, WORKER) && isSameSet(a.channels, b.channels) && isSameList(a.ranks, b.ranks, RANK) &&
    isSameList(a.estimates, b.estimates, ESTIMATE) && isSameList(a.endpoints, b.endpoints, ENDPOINT);
}

/** RFC 3339, UTC, to the millisecond. */
export function timeText({ epochMs }: Instant): string {
  return new Date(epochMs).toISOString();
}

function fieldsOf<T>(value: T, fields: Fields<T>): Record<string, Scalar> {
  const object: Record<string, Scalar> = {};
  for (const [name, read] of fields) object[name] = finite(read(value));
  return object;
}

function listOf<T>(name: string, values: readonly T[], fields: Fields<T>) {
  return values.length > 0 && { [name]: values.map((value) => fieldsOf(value, fields)) };
}

function isSame<T>(a: T, b: T, fields: Fields<T>): boolean {
  if (a === b) return true;
  for (const [, read] of fields) if (!Object.is(read(a), read(b))) return false;
  return true;
}

function isSameList<T>(a: readonly T[], b: readonly T[], fields: Fields<T>): boolean {
  return a === b || a.length === b.length && a.every((value, n) => isSame(value, b[n]!, fields));
}

function isSameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a === b || a.size === b.size && [...a].every((value) => b.has(value));
}

/** JSON has no word for what is not finite: it is as good as not known. */
function finite(value: Scalar): Scalar {
  return typeof value === "number" && !Number.isFinite(value) ? undefined : value;
}

/** Text from outside is cut. */
function cut(text: string | undefined): string | undefined {
  return text?.slice(0, MAX_TEXT);
}

const MAX_TEXT = 256;
