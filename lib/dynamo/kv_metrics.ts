import { type EventEnvelope, eventPayload } from "./event_envelope.ts";
import { EventError } from "./event_error.ts";
import {
  eventCount,
  eventRank,
  type EventRecord,
  eventWorker,
  optionalEventCount,
  parseEventJson,
} from "./event_record.ts";
import { type Load, LoadError, parseLoad } from "./load.ts";
import { loadText } from "./load_text.ts";
import { encodeMsgpack } from "./msgpack.ts";
import type { WorkerId } from "./worker_id.ts";

/** The event of releases since 0.4.1 that says how many KV blocks are in use, sent when that changes. */
export const KV_METRICS_EVENT = "kv_metrics";

/** Who speaks, of which worker and rank: the worker of its whole load, of its blocks, or a router with its estimate. */
export type KvMetrics =
  & { readonly worker: WorkerId; readonly dpRank: number }
  & (
    | { readonly kind: "load"; readonly load: Load }
    | { readonly kind: "own"; readonly usedBlocks: number }
    | RouterEstimate
  );

/** What a router of releases 0.8.1 to 1.4.2 believes. `router` is its publisher id, decimal; empty in 0.8.1, which has none. */
interface RouterEstimate {
  readonly kind: "router";
  readonly router: string;
  readonly activeDecodeBlocks: number | undefined;
  readonly activePrefillTokens: number | undefined;
}

/**
 * Reads the JSON of releases 0.4.1 to 0.7.1, `{"worker_id":…,"data":{…}}` with a worker's whole load, and of 0.8.1,
 * `{"worker_id":…,"dp_rank":…,"active_decode_blocks":…,"active_prefill_tokens":…}`, where `null` at the end tells a
 * worker from a router.
 *
 * @throws {EventError}
 */
export function parseKvMetricsJson(text: string): KvMetrics {
  const record = parseEventJson(text);
  const worker = eventWorker(record);
  if (record.data !== undefined) {
    const load = loadOf(record.data);
    return { kind: "load", worker, dpRank: load.dpRank ?? 0, load };
  }
  const estimate = routerEstimate(record, "");
  const isOwn = estimate.activePrefillTokens === undefined;
  return { worker, dpRank: eventRank(record), ...(isOwn ? ownBlocks(record) : estimate) };
}

/**
 * Reads the MessagePack map of releases since 0.9.1. To 1.0.2 it has no `kv_used_blocks`, and a worker is known by its
 * publisher id; after that a router leaves this field null.
 *
 * @throws {EventError}
 */
export function parseKvMetrics(envelope: EventEnvelope): KvMetrics {
  const record = eventPayload(envelope, KV_METRICS_EVENT);
  const worker = eventWorker(record);
  const dpRank = eventRank(record);
  const estimate = routerEstimate(record, envelope.publisher);
  const usedBlocks = optionalEventCount(record, "kv_used_blocks");
  if (usedBlocks !== undefined) return { kind: "own", worker, dpRank, usedBlocks };
  const isOwn = record.kv_used_blocks === undefined && envelope.publisher === worker;
  return { worker, dpRank, ...(isOwn ? ownBlocks(record) : estimate) };
}

/** A worker's whole load, as releases 0.4.1 to 0.7.1 write it. */
export function kvMetricsLoadText(worker: WorkerId, load: Load): string {
  return `{"worker_id":${worker},"data":${loadText(load)}}`;
}

/** What is published of one rank since 0.8.1, null where the publisher does not say it. */
export interface KvMetricsFields {
  readonly worker: WorkerId;
  readonly dpRank: number;
  readonly activeDecodeBlocks: number | null;
  readonly activePrefillTokens: number | null;
  /** Undefined in releases that have no such field. */
  readonly kvUsedBlocks: number | null | undefined;
}

/** A worker's blocks in use: in `kv_used_blocks` since 1.1.1, before in the field that routers fill as well. */
export function ownKvMetrics(
  { worker, dpRank, usedBlocks }: { worker: WorkerId; dpRank: number; usedBlocks: number },
  { hasUsedBlocks }: { readonly hasUsedBlocks: boolean },
): KvMetricsFields {
  return {
    worker,
    dpRank,
    activeDecodeBlocks: hasUsedBlocks ? null : usedBlocks,
    activePrefillTokens: null,
    kvUsedBlocks: hasUsedBlocks ? usedBlocks : undefined,
  };
}

/** The JSON of 0.8.1. */
export function kvMetricsText(fields: KvMetricsFields): string {
  return `{"worker_id":${fields.worker},"dp_rank":${fields.dpRank},` +
    `"active_decode_blocks":${fields.activeDecodeBlocks},"active_prefill_tokens":${fields.activePrefillTokens}}`;
}

/** The payload in the envelope of releases since 0.9.1. */
export function encodeKvMetrics(fields: KvMetricsFields): Uint8Array<ArrayBuffer> {
  return encodeMsgpack({
    worker_id: BigInt(fields.worker),
    dp_rank: fields.dpRank,
    active_decode_blocks: fields.activeDecodeBlocks,
    active_prefill_tokens: fields.activePrefillTokens,
    ...(fields.kvUsedBlocks !== undefined && { kv_used_blocks: fields.kvUsedBlocks }),
  });
}

function ownBlocks(record: EventRecord): { kind: "own"; usedBlocks: number } {
  return { kind: "own", usedBlocks: eventCount(record, "active_decode_blocks") };
}

function routerEstimate(record: EventRecord, router: string): RouterEstimate {
  return {
    kind: "router",
    router,
    activeDecodeBlocks: optionalEventCount(record, "active_decode_blocks"),
    activePrefillTokens: optionalEventCount(record, "active_prefill_tokens"),
  };
}

function loadOf(data: unknown): Load {
  try {
    return parseLoad(data);
  } catch (cause) {
    if (!(cause instanceof LoadError)) throw cause;
    throw new EventError("fields", cause.message, { cause });
  }
}
