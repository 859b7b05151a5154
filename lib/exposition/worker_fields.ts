import type { RankNumbers } from "../fleet/rank_reading.ts";
import type { WorkerNumbers } from "../fleet/worker_numbers.ts";
import type { Estimate, WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import type { EndpointCounters } from "../scrape/answer.ts";
import { distinctEndpoints } from "./endpoints.ts";
import { timeText } from "./time_text.ts";

/** What JSON has for a field; what is undefined is left out. */
export type Scalar = string | number | boolean | undefined;

type Field<T, Value> = readonly [name: string, read: (from: T) => Value];

/**
 * What an object of the API holds, by name. One table writes, compares and makes columns, so that no change is overlooked.
 * What is in `labels` says what it is, and changes seldom; what is in `numbers` changes all the time.
 */
export interface Fields<T> {
  readonly labels: readonly Field<T, Scalar>[];
  readonly numbers: readonly Field<T, number | undefined>[];
}

/** One number of all workers, or one of all items of a list that workers have. */
export interface Column {
  readonly name: string;
  /** Whether it says the same of both, whose lists have the same items. */
  isSame(a: WorkerSnapshot, b: WorkerSnapshot): boolean;
  /** Appends what it says of a worker: one value, or one for each item. What is not known is null. */
  append(worker: WorkerSnapshot, values: (number | null)[]): void;
}

/** A list that a worker has. */
export interface List {
  readonly name: string;
  readonly columns: readonly Column[];
  items(worker: WorkerSnapshot): Readonly<Record<string, Scalar>>[];
  /** Whether both have the same items, whatever their numbers. */
  hasSameItems(a: WorkerSnapshot, b: WorkerSnapshot): boolean;
}

const ofNumbers = (value: (numbers: WorkerNumbers) => number | undefined) => (worker: WorkerSnapshot) =>
  value(worker.numbers);

/** A worker's fields but its lists, and when it was last seen. */
const WORKER: Fields<WorkerSnapshot> = {
  labels: [
    ["id", ({ id }) => id],
    ["state", ({ state }) => state],
    ["registered", ({ registered }) => registered],
    ["release", ({ release }) => release],
    ["service_version", ({ service }) => cut(service?.version)],
    ["load_shape", ({ load }) => load?.shape],
    ["worker_type", ({ card }) => card?.workerType],
    ["model", ({ card }) => cut(card?.model)],
    ["stuck_since", ({ stuckSince }) => stuckSince && timeText(stuckSince)],
    ["first_pass_pending", ({ isFirstPassPending }) => isFirstPassPending || undefined],
    ["page_problem", ({ pageProblem }) => cut(pageProblem)],
  ],
  numbers: [
    ["kv_blocks_used", ofNumbers(({ activeBlocks }) => activeBlocks)],
    ["kv_blocks_total", ofNumbers(({ totalBlocks }) => totalBlocks)],
    ["slots_active", ofNumbers(({ activeSlots }) => activeSlots)],
    ["slots_total", ofNumbers(({ totalSlots }) => totalSlots)],
    ["requests_waiting", ofNumbers(({ requestsWaiting }) => requestsWaiting)],
    ["requests_in_flight", ofNumbers(({ requestsInFlight }) => requestsInFlight)],
    ["cache_usage", ofNumbers(({ cacheUsageRatio }) => cacheUsageRatio)],
    ["prefix_hit", ofNumbers(({ prefixHitRatio }) => prefixHitRatio)],
    ["ranks_expected", ({ coverage }) => coverage?.expected],
    ["ranks_heard", ({ coverage }) => coverage?.heard],
  ],
};

const RANK: Fields<RankNumbers> = {
  labels: [["dp_rank", ({ dpRank }) => dpRank], ["silent", ({ isSilent }) => isSilent]],
  numbers: [
    ["kv_blocks_used", ({ usedBlocks }) => usedBlocks],
    ["requests_running", ({ running }) => running],
    ["requests_waiting", ({ waiting }) => waiting],
    ["cache_usage", ({ cacheUsageRatio }) => cacheUsageRatio],
    ["prefix_hit", ({ prefixHitRatio }) => prefixHitRatio],
  ],
};

const ESTIMATE: Fields<Estimate> = {
  labels: [["router", ({ router }) => router], ["dp_rank", ({ dpRank }) => dpRank]],
  numbers: [
    ["active_decode_blocks", ({ activeDecodeBlocks }) => activeDecodeBlocks],
    ["active_prefill_tokens", ({ activePrefillTokens }) => activePrefillTokens],
  ],
};

const ENDPOINT: Fields<EndpointCounters> = {
  labels: [["name", ({ endpoint }) => endpoint.toWellFormed()]],
  numbers: [
    ["requests", ({ requests }) => requests],
    ["errors", ({ errors }) => errors],
    ["processing_seconds", ({ processingSeconds }) => processingSeconds],
  ],
};

/** A worker's own numbers. */
export const COLUMNS: readonly Column[] = WORKER.numbers.map(([name, read]) => ({
  name,
  isSame: (a, b) => Object.is(finite(read(a)), finite(read(b))),
  append: (worker, values) => values.push(finite(read(worker)) ?? null),
}));

export const LISTS: readonly List[] = [
  list("ranks", RANK, ({ ranks }) => ranks),
  list("estimates", ESTIMATE, ({ estimates }) => estimates),
  list("endpoints", ENDPOINT, ({ endpoints }) => distinctEndpoints(endpoints)),
];

/** What JSON has for them. */
export function workerFields(worker: WorkerSnapshot): Readonly<Record<string, Scalar>> {
  return valuesOf(worker, WORKER);
}

export function hasSameLabels(a: WorkerSnapshot, b: WorkerSnapshot): boolean {
  return areSame(a, b, WORKER.labels);
}

function list<T>(name: string, fields: Fields<T>, of: (worker: WorkerSnapshot) => readonly T[]): List {
  const inAll = (items: readonly T[], others: readonly T[], compared: Fields<T>["labels"]) =>
    items === others || items.every((item, n) => areSame(item, others[n]!, compared));
  return {
    name,
    columns: fields.numbers.map(([name, read]) => {
      const compared = [[name, (item: T) => finite(read(item))]] as const;
      return {
        name,
        isSame: (a, b) => inAll(of(a), of(b), compared),
        append: (worker, values) => {
          for (const item of of(worker)) values.push(finite(read(item)) ?? null);
        },
      };
    }),
    items: (worker) => of(worker).map((item) => valuesOf(item, fields)),
    hasSameItems: (a, b) => {
      const [items, others] = [of(a), of(b)];
      return items.length === others.length && inAll(items, others, fields.labels);
    },
  };
}

function valuesOf<T>(from: T, { labels, numbers }: Fields<T>): Record<string, Scalar> {
  const object: Record<string, Scalar> = {};
  for (const [name, read] of labels) object[name] = read(from);
  for (const [name, read] of numbers) object[name] = finite(read(from));
  return object;
}

function areSame<T>(a: T, b: T, fields: readonly Field<T, Scalar>[]): boolean {
  if (a === b) return true;
  for (const [, read] of fields) if (!Object.is(read(a), read(b))) return false;
  return true;
}

/** JSON has no word for what is not finite: it is as good as not known. */
function finite(value: number | undefined): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

/** Text from outside is cut. */
function cut(text: string | undefined): string | undefined {
  return text?.slice(0, MAX_TEXT);
}

const MAX_TEXT = 256;
