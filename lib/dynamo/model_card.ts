import { toU32, toU64 } from "./exact_integers.ts";
import { type Fields, fieldsOf, parseValue, type Registered, registeredId, textOf } from "./registered.ts";
import { type Releases, releases } from "./release.ts";
import type { Target } from "./target.ts";
import type { WorkerId } from "./worker_id.ts";

export type WorkerType = "prefill" | "decode" | "aggregated";

/** What a worker of releases since 0.9.1 says of itself when it starts. What the card does not say is absent. */
export interface ModelCard {
  readonly worker: WorkerId;
  /** Data-parallel ranks, 1 where the card does not say. */
  readonly ranks: number;
  /** The number of the first of them, since 1.0.2. */
  readonly startRank?: number;
  /** KV blocks, of one rank or of all (`units.ts`); never 0, which engines write while they do not know. */
  readonly totalBlocks?: number;
  /** Slots (requests that run at once), of one rank or of all (`units.ts`); never 0. */
  readonly maxSeqs?: number;
  /** Tokens of a KV block. */
  readonly blockSize?: number;
  /** The model's display name. */
  readonly model?: string;
  /** Before 1.4.2 only prefill workers are known. */
  readonly workerType?: WorkerType;
  /** The worker's own page, since 1.4.2 where it has a system port. */
  readonly metricsUrl?: string;
  /** Of which it can be, by what the card has. */
  readonly releases: Releases;
}

/** More than any worker has; a number above is not believed, since all ranks are walked. */
const MAX_RANKS = 4_096;

/** The key before the worker's id, so one range read or watch lists the cards of a target's workers. */
export function modelCardPrefix({ namespace, component, endpoint }: Target): string {
  return `v1/mdc/${namespace}/${component}/${endpoint}/`;
}

/**
 * Reads the `card_json` of a worker. A field of the wrong kind is as good as missing. Undefined for what is no card, or
 * that of an adapter (a deeper key).
 */
export function parseModelCard({ key, value }: Registered): ModelCard | undefined {
  const fields = parseValue(value);
  if (fields === undefined || fields.card_json === undefined || !key.startsWith("v1/mdc/")) return undefined;
  const worker = registeredId(key, fields);
  if (worker === undefined) return undefined;
  const card = fieldsOf(fields.card_json);
  const config = fieldsOf(card.runtime_config);
  return {
    worker,
    ranks: ranksOf(config.data_parallel_size),
    releases: releasesOf(card, config),
    ...optional("startRank", toU32(config.data_parallel_start_rank)),
    ...optional("totalBlocks", positive(config.total_kv_blocks)),
    ...optional("maxSeqs", positive(config.max_num_seqs)),
    ...optional("blockSize", positive(card.kv_cache_block_size)),
    ...optional("model", textOf(card.display_name)),
    ...optional("workerType", workerTypeOf(card.worker_type, card.model_type)),
    ...optional("metricsUrl", metricsUrlOf(fieldsOf(fieldsOf(card.model_info).hf_config_json).path)),
  };
}

/** The first rank is named since 1.0.2, what the worker does since 1.4.2. */
function releasesOf({ worker_type }: Fields, { data_parallel_start_rank }: Fields): Releases {
  if (worker_type !== undefined) return releases("1.4.2");
  return data_parallel_start_rank !== undefined ? releases("1.0.2", "1.3.1") : releases("0.6.0", "0.9.1");
}

function positive(value: unknown): number | undefined {
  return toU64(value) || undefined;
}

function ranksOf(value: unknown): number {
  const ranks = toU32(value);
  return ranks !== undefined && ranks >= 1 && ranks <= MAX_RANKS ? ranks : 1;
}

function workerTypeOf(type: unknown, modelType: unknown): WorkerType | undefined {
  if (type === "prefill" || type === "decode" || type === "aggregated") return type;
  return modelType === "Prefill" ? "prefill" : undefined;
}

/** A worker with a system port serves its model's files there: `http://IP:PORT/v1/metadata/…/config.json`. */
function metricsUrlOf(path: unknown): string | undefined {
  const [, origin] = typeof path === "string"
    ? /^(https?:\/\/[^/?#@\s]+)\/v1\/metadata\//.exec(path) ?? []
    : [];
  return origin !== undefined && URL.canParse(origin) ? `${origin}/metrics` : undefined;
}

function optional<K extends string, T>(name: K, value: T | undefined): { [name in K]?: T } {
  return value === undefined ? {} : { [name]: value } as { [name in K]: T };
}
