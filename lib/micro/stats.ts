/** One endpoint in a statistics reply. What the service did not say, or not as a non-negative integer, is undefined. */
export interface EndpointStats {
  readonly subject: string;
  readonly requests: number | undefined;
  readonly errors: number | undefined;
  readonly processingNanos: number | undefined;
  /** The service's own record: null or undefined where the endpoint has no statistics handler. */
  readonly data: unknown;
}

/** A reply to `$SRV.STATS`: one service instance with all its endpoints. */
export interface StatsReply {
  readonly version: string | undefined;
  /** Endpoints without a subject are kept as undefined: they cannot be told apart, but they were sent. */
  readonly endpoints: readonly (EndpointStats | undefined)[];
}

/** A reply whose JSON is no statistics envelope. */
export class EnvelopeError extends Error {
  override readonly name = "EnvelopeError";
}

/**
 * Reads the envelope out of a decoded reply. Only the endpoints' list is needed: releases differ in the rest, and a
 * missing micro field says nothing about the data beside it.
 *
 * @throws {EnvelopeError}
 */
export function readStatsReply(value: unknown): StatsReply {
  if (typeof value !== "object" || value === null) throw new EnvelopeError("reply is not an object");
  const { version, endpoints } = value as { version?: unknown; endpoints?: unknown };
  if (!Array.isArray(endpoints)) throw new EnvelopeError("endpoints is not a list");
  return {
    version: typeof version === "string" ? version : undefined,
    endpoints: endpoints.map(readEndpoint),
  };
}

function readEndpoint(value: unknown): EndpointStats | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  if (typeof fields.subject !== "string") return undefined;
  return {
    subject: fields.subject,
    requests: count(fields.num_requests),
    errors: count(fields.num_errors),
    processingNanos: count(fields.processing_time),
    data: fields.data,
  };
}

function count(value: unknown): number | undefined {
  const number = typeof value === "bigint" ? Number(value) : value;
  return Number.isInteger(number) && (number as number) >= 0 ? number as number : undefined;
}
