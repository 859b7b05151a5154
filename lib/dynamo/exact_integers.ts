/** The only fields of Dynamo's records that are no integers (f32 on the wire). */
const FRACTIONS: ReadonlySet<string> = new Set(["gpu_cache_usage_perc", "gpu_prefix_cache_hit_rate"]);

const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/**
 * Finds the texts whose integers `JSON.parse` would not give back as they were written: sixteen digits and more, a
 * sign, a fraction or an exponent after a field of Dynamo's load records, or an escape that may hide such a field.
 */
const INEXACT =
  /"(?:request|kv|num|data)_\w+"\s*:\s*(?:\[[\d,\s]*)?(?:-|\d+[.eE]|\d{16})|"num_accepted_tokens_per_pos"\s*:\s*\[[^\]]*[-.eE]|\\/;

/**
 * `JSON.parse` for load records: what was written as no unsigned 64-bit integer (`2.0`, `-1`, `1e3`, 2^64) must not
 * pass for one, and most texts, which hold nothing of the kind, must not pay for it.
 *
 * @throws {SyntaxError} when `text` is not JSON
 */
export function parseLoadJson(text: string): unknown {
  return INEXACT.test(text) ? JSON.parse(text, exactIntegers as never) : JSON.parse(text);
}

/**
 * A `JSON.parse` reviver that keeps integers whole: beyond 2^53 they become a bigint, and a number that was not written
 * as an integer becomes NaN, which no check takes for one.
 */
export function exactIntegers(key: string, value: unknown, context: { source: string }): unknown {
  if (typeof value !== "number" || FRACTIONS.has(key)) return value;
  if (!/^\d+$/.test(context.source)) return NaN;
  return Number.isSafeInteger(value) ? value : BigInt(context.source);
}

/** The number when `value` is an unsigned 64-bit integer (nearest double beyond 2^53), else undefined. */
export function toU64(value: unknown): number | undefined {
  if (typeof value === "bigint") return value >= 0n && value <= MAX_U64 ? Number(value) : undefined;
  return Number.isSafeInteger(value) && (value as number) >= 0 ? value as number : undefined;
}

/** The number when `value` is an unsigned 32-bit integer, else undefined. */
export function toU32(value: unknown): number | undefined {
  const number = toU64(value);
  return number !== undefined && number <= 0xffff_ffff ? number : undefined;
}
