import { Deadline } from "../timing.ts";

/** Why a text could not be had. A closed set: it becomes a label. */
export const FETCH_PROBLEMS = ["timeout", "unreachable", "status", "too_large"] as const;
export type FetchProblem = typeof FETCH_PROBLEMS[number];

export class FetchError extends Error {
  override readonly name = "FetchError";
  constructor(readonly problem: FetchProblem, message: string) {
    super(message);
  }
}

export interface FetchLimits {
  /** From the question to the text's end. */
  readonly timeoutMs: number;
  /** Of the text, not of what a compressed one was sent as. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Gets a text that is answered with 200; goes nowhere else, whatever the answer says. Ends within the limits, also when
 * `signal` is aborted.
 *
 * @throws {FetchError}
 */
export async function fetchText(url: string, { timeoutMs, maxBytes, signal }: FetchLimits): Promise<string> {
  const late = new FetchError("timeout", `no whole answer within ${timeoutMs} ms`);
  using deadline = new Deadline({ ms: timeoutMs, reason: late, outer: signal });
  try {
    const response = await fetch(url, {
      redirect: "manual",
      signal: deadline.signal,
      headers: { accept: "text/plain" },
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new FetchError("status", `answers ${response.status}`);
    }
    return await readText(response.body, maxBytes);
  } catch (error) {
    if (deadline.signal.reason === late) throw late;
    if (error instanceof FetchError) throw error;
    throw new FetchError("unreachable", (error as Error).message);
  }
}

/** Leaving the body cancels it, so one that never ends is not read to its end. */
async function readText(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.length;
    if (bytes > maxBytes) throw new FetchError("too_large", `has more than ${maxBytes} bytes`);
    parts.push(decoder.decode(part, { stream: true }));
  }
  return parts.join("") + decoder.decode();
}
