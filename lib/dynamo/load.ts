import { toU32, toU64 } from "./exact_integers.ts";

/** The shapes that releases gave the load record: Feb 2025, 0.1.0–0.2.1, 0.3.0–0.3.1, 0.3.2–0.6.0. */
export type LoadShape = "flat4" | "flat7" | "flat8" | "nested";

/** Speculative decoding of the last engine step; `specTokens` is the configured length. */
export interface SpecDecode {
  readonly specTokens?: number;
  readonly drafts?: number;
  readonly draftTokens?: number;
  readonly acceptedTokens?: number;
  readonly acceptedTokensPerPosition?: readonly number[];
}

/** One worker's load as it says it (Dynamo's ForwardPassMetrics). What it does not say is absent, never 0. */
export interface Load {
  readonly shape: LoadShape;
  readonly activeSlots: number;
  readonly totalSlots: number;
  readonly activeBlocks: number;
  readonly totalBlocks: number;
  readonly requestsWaiting?: number;
  /** 0 to 1, of 32-bit precision. */
  readonly cacheUsageRatio?: number;
  /** 0 to 1, of 32-bit precision. */
  readonly prefixHitRatio?: number;
  readonly dpRank?: number;
  readonly specDecode?: SpecDecode;
}

/** A record that is no load; the message names the field. */
export class LoadError extends Error {
  override readonly name = "LoadError";
}

/**
 * Reads the `data` of an endpoint's statistics, in any shape.
 *
 * The four slot and block counts are needed. Any other field may be missing or null; one of the wrong kind (negative,
 * fraction, text, above u64) makes the record unusable, as it does for Dynamo's own readers.
 *
 * @throws {LoadError}
 */
export function parseLoad(data: unknown): Load {
  const record = asRecord(data, "data");
  const nested = record.worker_stats !== undefined || record.kv_stats !== undefined;
  const worker = nested ? asRecord(record.worker_stats, "worker_stats") : record;
  const kv = nested ? asRecord(record.kv_stats, "kv_stats") : record;
  const load: Mutable<Load> = {
    shape: nested ? "nested" : flatShape(record),
    activeSlots: needed(worker, "request_active_slots"),
    totalSlots: needed(worker, "request_total_slots"),
    activeBlocks: needed(kv, "kv_active_blocks"),
    totalBlocks: needed(kv, "kv_total_blocks"),
  };
  set(load, "requestsWaiting", optional(worker, "num_requests_waiting", toU64));
  set(load, "cacheUsageRatio", optional(kv, "gpu_cache_usage_perc", toF32));
  set(load, "prefixHitRatio", optional(kv, "gpu_prefix_cache_hit_rate", toF32));
  set(load, "dpRank", optional(worker, "data_parallel_rank", toU32));
  if (nested && record.spec_decode_stats !== null && record.spec_decode_stats !== undefined) {
    load.specDecode = parseSpecDecode(asRecord(record.spec_decode_stats, "spec_decode_stats"));
  }
  return load;
}

function parseSpecDecode(record: Fields): SpecDecode {
  const spec: Mutable<SpecDecode> = {};
  set(spec, "specTokens", optional(record, "num_spec_tokens", toU32));
  set(spec, "drafts", optional(record, "num_drafts", toU32));
  set(spec, "draftTokens", optional(record, "num_draft_tokens", toU32));
  set(spec, "acceptedTokens", optional(record, "num_accepted_tokens", toU32));
  set(spec, "acceptedTokensPerPosition", optional(record, "num_accepted_tokens_per_pos", toU32List));
  return spec;
}

function flatShape(record: Fields): LoadShape {
  if ("data_parallel_rank" in record) return "flat8";
  const extra = ["num_requests_waiting", "gpu_cache_usage_perc", "gpu_prefix_cache_hit_rate"];
  return extra.some((field) => field in record) ? "flat7" : "flat4";
}

type Fields = Readonly<Record<string, unknown>>;
/** A record while it is made. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function asRecord(value: unknown, name: string): Fields {
  if (value === undefined || value === null) throw new LoadError(`${name} is missing`);
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new LoadError(`${name} is not an object`);
  }
  return value as Fields;
}

function needed(record: Fields, field: string): number {
  const value = optional(record, field, toU64);
  if (value === undefined) throw new LoadError(`${field} is missing`);
  return value;
}

function optional<T>(record: Fields, field: string, read: (value: unknown) => T | undefined): T | undefined {
  const value = record[field];
  if (value === undefined || value === null) return undefined;
  const result = read(value);
  if (result === undefined) throw new LoadError(`${field} is of the wrong kind`);
  return result;
}

function set<T, K extends keyof T>(record: T, field: K, value: T[K] | undefined): void {
  if (value !== undefined) record[field] = value;
}

/** Rounded to 32 bits and widened again, which is what Dynamo's own readers hold and print. */
function toF32(value: unknown): number | undefined {
  if (typeof value !== "number") return undefined;
  const number = Math.fround(value);
  return Number.isFinite(number) ? number : undefined;
}

function toU32List(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const numbers = value.map(toU32);
  return numbers.every((number) => number !== undefined) ? numbers : undefined;
}
