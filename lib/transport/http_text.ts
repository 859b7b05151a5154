import { Deadline } from "../timing.ts";
import { fetchCause } from "./fetch_cause.ts";

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
 * `signal` is aborted. The error's message says the exact cause.
 *
 * @throws {FetchError}
 */
export async function fetchText(url: string, { timeoutMs, maxBytes, signal }: FetchLimits): Promise<string> {
  using deadline = new Deadline({ ms: timeoutMs, reason: LATE, outer: signal });
  const limits = { maxBytes, signal: deadline.signal };
  try {
    try {
      return await getText(url, limits);
    } catch (error) {
      if (!isBlockedPort(error)) throw error;
      using client = directClient(url);
      return await getText(url, { ...limits, client });
    }
  } catch (error) {
    if (deadline.signal.reason === LATE) {
      throw new FetchError("timeout", `timeout: no whole answer within ${timeoutMs} ms`);
    }
    if (error instanceof FetchError) throw error;
    throw new FetchError("unreachable", fetchCause(error as Error, url));
  }
}

/** An error made for each page, of which few are late, would cost more than reading some of it. */
const LATE = Symbol("late");

interface Getting {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Connects to the URL's host and port, whatever URL it is asked for. */
  readonly client?: Deno.HttpClient;
}

async function getText(url: string, { maxBytes, signal, client }: Getting): Promise<string> {
  const asked = new URL(url);
  const { host } = asked;
  if (client !== undefined) asked.port = "";
  const response = await fetch(asked, {
    redirect: "manual",
    signal,
    headers: { accept: "text/plain", ...(client && { host }) },
    ...(client && { client }),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new FetchError("status", statusCause(response, url));
  }
  return await readText(response.body, maxBytes);
}

/** Deno refuses the ports that browsers block, and alone knows which these are. */
function isBlockedPort(error: unknown): boolean {
  return error instanceof TypeError && /Requests to port \d+ are blocked/.test(error.message);
}

/**
 * A client that connects to the URL's host and port. Deno blocks ports of URLs only, so the URL that it is asked for needs
 * no port (2.9.6). It speaks no TLS.
 *
 * @throws {FetchError} for https
 */
function directClient(url: string): Deno.HttpClient {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "http:") {
    throw new FetchError("unreachable", `port ${port}, which browsers block, cannot be asked over https`);
  }
  return Deno.createHttpClient({
    allowHost: true,
    proxy: { transport: "tcp", hostname, port: Number(port) },
  });
}

const MAX_TARGET_LENGTH = 200;

/** `answers 500`, `answers 307, to http://host:8081/metrics/`: a redirect's target without user, query and fragment. */
function statusCause({ status, headers }: Response, url: string): string {
  const location = status >= 300 && status < 400 ? headers.get("location") : null;
  const target = location === null ? null : URL.parse(location, url);
  if (target === null || !/^https?:$/.test(target.protocol)) return `answers ${status}`;
  return `answers ${status}, to ${`${target.origin}${target.pathname}`.slice(0, MAX_TARGET_LENGTH)}`;
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
