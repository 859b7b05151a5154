/**
 * A worker's id: the etcd lease of its process, or (file discovery) a random number. Unsigned 64 bits, so never a
 * JavaScript number: a decimal string without leading zeros, as Prometheus labels show it.
 */
export type WorkerId = string & { readonly __brand: "WorkerId" };

const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** Reads the hexadecimal text at the end of a subject or an etcd key, either case, leading zeros allowed. */
export function workerIdFromHex(hex: string): WorkerId | undefined {
  if (!/^[0-9a-fA-F]+$/.test(hex)) return undefined;
  return inRange(BigInt(`0x${hex}`));
}

/** Reads an integer out of a decoded record. A number above 2^53 has lost digits already and is refused. */
export function workerIdFromInteger(value: unknown): WorkerId | undefined {
  if (typeof value === "bigint") return inRange(value);
  return Number.isSafeInteger(value) ? inRange(BigInt(value as number)) : undefined;
}

/** Reads the decimal text in which forward-pass metrics and etcd's leases are written, leading zeros allowed. */
export function workerIdFromDecimal(text: string): WorkerId | undefined {
  return /^\d{1,20}$/.test(text) ? inRange(BigInt(text)) : undefined;
}

/** Lower-case hexadecimal without padding: the form in subjects and etcd keys. */
export function workerIdToHex(id: WorkerId): string {
  return BigInt(id).toString(16);
}

/** How many ids {@link workerIdsText} names. */
export const MAX_NAMED = 5;

/** The first of some ids, for the log; `…` where there are more. */
export function workerIdsText(ids: readonly WorkerId[], count = ids.length): string {
  return [...ids.slice(0, MAX_NAMED), ...(count > MAX_NAMED ? ["…"] : [])].join(",");
}

/** Orders ids by number. */
export function compareWorkerIds(a: WorkerId, b: WorkerId): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

function inRange(value: bigint): WorkerId | undefined {
  return value >= 0n && value <= MAX_U64 ? value.toString() as WorkerId : undefined;
}
