import type { Load, SpecDecode } from "./load.ts";

/**
 * A 32-bit float as Rust's JSON prints it (from 1e-5 to 1e16; seen on ratios): the fewest digits that name it, never
 * without a fraction. Six digits are always distinct from their neighbours, so where six do, fewer are what is left of
 * them without their last zeros.
 */
export function f32Text(value: number): string {
  const rounded = Math.round(value * 1e6) / 1e6; // Without a detour by text, what most ratios are.
  if (rounded < 1 && Math.fround(rounded) === value) return floatText(rounded);
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

/** An unsigned integer without an exponent. */
export function integerText(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : BigInt(value).toString();
}

/**
 * A load record as JSON in its own shape, fields in the order in which Dynamo's programs declare them. `ratio` writes
 * the two 32-bit ratios: statistics replies widen them to doubles first, events do not.
 */
export function loadText(load: Load, ratio: (value: number) => string = f32Text): string {
  const slots = `"request_active_slots":${integerText(load.activeSlots)},"request_total_slots":${
    integerText(load.totalSlots)
  }`;
  const blocks = `"kv_active_blocks":${integerText(load.activeBlocks)},"kv_total_blocks":${
    integerText(load.totalBlocks)
  }`;
  const waiting = ifKnown("num_requests_waiting", load.requestsWaiting, integerText);
  const ratios = ifKnown("gpu_cache_usage_perc", load.cacheUsageRatio, ratio) +
    ifKnown("gpu_prefix_cache_hit_rate", load.prefixHitRatio, ratio);
  const rank = `"data_parallel_rank":${load.dpRank === undefined ? "null" : integerText(load.dpRank)}`;
  switch (load.shape) {
    case "flat4":
      return `{${slots},${blocks}}`;
    case "flat7":
      return `{${slots},${blocks}${waiting}${ratios}}`;
    case "flat8":
      return `{${rank},${slots},${blocks}${waiting}${ratios}}`;
    case "nested": {
      const spec = load.specDecode === undefined ? "null" : specDecodeText(load.specDecode);
      return `{"worker_stats":{${rank},${slots}${waiting}},"kv_stats":{${blocks}${ratios}},"spec_decode_stats":${spec}}`;
    }
  }
}

function specDecodeText(spec: SpecDecode): string {
  const orNull = (value: number | undefined) => value === undefined ? "null" : integerText(value);
  const perPosition = spec.acceptedTokensPerPosition;
  return `{"num_spec_tokens":${orNull(spec.specTokens)},"num_drafts":${
    orNull(spec.drafts)
  },"num_draft_tokens":${orNull(spec.draftTokens)},"num_accepted_tokens":${
    orNull(spec.acceptedTokens)
  },"num_accepted_tokens_per_pos":${perPosition === undefined ? "null" : `[${perPosition.join()}]`}}`;
}

/** A field with the comma before it; nothing of a value that is not known. */
function ifKnown(name: string, value: number | undefined, write: (value: number) => string): string {
  return value === undefined ? "" : `,"${name}":${write(value)}`;
}
