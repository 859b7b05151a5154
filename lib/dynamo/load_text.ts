import { integerText, type JsonBytes } from "./json_bytes.ts";
import type { Load, LoadShape, SpecDecode } from "./load.ts";

/**
 * A 32-bit float as Rust's JSON prints it (from 1e-5 to 1e16; seen on ratios): the fewest digits that name it, never
 * without a fraction. Six digits are always distinct from their neighbours, so where six do, fewer are what is left of
 * them without their last zeros.
 */
export function f32Text(value: number): string {
  const rounded = Math.round(value * 1e6) / 1e6; // Without a detour by text, what most ratios are.
  if (Math.abs(rounded) < 1 && Math.fround(rounded) === value) return floatText(rounded);
  for (let digits = 6; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return floatText(short);
  }
  return floatText(value);
}

/** A 64-bit float as Rust's JSON prints it in the same range: `40.0`, and `null` where JSON has no number. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) return "null";
  const text = String(value);
  return Number.isInteger(value) && !text.includes("e") ? `${text}.0` : text;
}

type NumberField = Exclude<keyof Load, "shape" | "specDecode">;

/** One number of a record and what stands before it. */
interface Part {
  readonly before: string;
  /** The same as bytes. */
  readonly beforeBytes: Uint8Array;
  readonly field: NumberField;
  readonly isRatio: boolean;
  /** One that is not known is null; others that are not known are left out, with what stands before them. */
  readonly isNullable: boolean;
}

function part(before: string, field: NumberField): Part {
  const isRatio = field === "cacheUsageRatio" || field === "prefixHitRatio";
  return { before, beforeBytes: encoder.encode(before), field, isRatio, isNullable: field === "dpRank" };
}

const encoder = new TextEncoder();
const RANK = '"data_parallel_rank":';
const WAITING = part(',"num_requests_waiting":', "requestsWaiting");
const RATIOS = [
  part(',"gpu_cache_usage_perc":', "cacheUsageRatio"),
  part(',"gpu_prefix_cache_hit_rate":', "prefixHitRatio"),
];
const slots = (before: string) => [
  part(`${before}"request_active_slots":`, "activeSlots"),
  part(',"request_total_slots":', "totalSlots"),
];
const blocks = (before: string) => [
  part(`${before}"kv_active_blocks":`, "activeBlocks"),
  part(',"kv_total_blocks":', "totalBlocks"),
];

/** The fields of each shape, in the order in which Dynamo's programs declare them. */
const SHAPES: Readonly<Record<LoadShape, readonly Part[]>> = {
  flat4: [...slots("{"), ...blocks(",")],
  flat7: [...slots("{"), ...blocks(","), WAITING, ...RATIOS],
  flat8: [part(`{${RANK}`, "dpRank"), ...slots(","), ...blocks(","), WAITING, ...RATIOS],
  nested: [
    part(`{"worker_stats":{${RANK}`, "dpRank"),
    ...slots(","),
    WAITING,
    ...blocks('},"kv_stats":{'),
    ...RATIOS,
  ],
};

/**
 * A load record as JSON in its own shape. `ratio` writes the two 32-bit ratios: statistics replies widen them to
 * doubles first, events do not.
 */
export function loadText(load: Load, ratio: (value: number) => string = f32Text): string {
  let text = "";
  for (const { before, field, isRatio, isNullable } of SHAPES[load.shape]) {
    const value = load[field];
    if (value !== undefined) text += before + (isRatio ? ratio : integerText)(value);
    else if (isNullable) text += `${before}null`;
  }
  return text + endText(load);
}

/** Writes the same text with the ratios as events have them. */
export function writeLoad(json: JsonBytes, load: Load): void {
  for (const { beforeBytes, field, isRatio, isNullable } of SHAPES[load.shape]) {
    const value = load[field];
    if (value === undefined && !isNullable) continue;
    json.put(beforeBytes);
    if (value === undefined) json.text("null");
    else if (isRatio) json.text(f32Text(value));
    else json.integer(value);
  }
  json.text(endText(load));
}

function endText({ shape, specDecode }: Load): string {
  return shape === "nested" ? `},"spec_decode_stats":${specDecodeText(specDecode)}}` : "}";
}

function specDecodeText(spec: SpecDecode | undefined): string {
  if (spec === undefined) return "null";
  const orNull = (value: number | undefined) => value === undefined ? "null" : integerText(value);
  const perPosition = spec.acceptedTokensPerPosition;
  return `{"num_spec_tokens":${orNull(spec.specTokens)},"num_drafts":${
    orNull(spec.drafts)
  },"num_draft_tokens":${orNull(spec.draftTokens)},"num_accepted_tokens":${
    orNull(spec.acceptedTokens)
  },"num_accepted_tokens_per_pos":${perPosition === undefined ? "null" : `[${perPosition.join()}]`}}`;
}
