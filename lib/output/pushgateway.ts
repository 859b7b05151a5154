import { joinBytes } from "../bytes.ts";
import type { Encoding, Loan } from "../exposition/pages.ts";
import { logger } from "../log.ts";
import { Cadence, type Clock, Deadline, sleep } from "../timing.ts";
import type { PushMethod } from "./push_group.ts";
import { proxyClient, type PushProxy } from "./push_proxy.ts";

export interface PushOptions {
  /** The group's address. */
  readonly url: URL;
  readonly method: PushMethod;
  readonly proxy?: PushProxy | undefined;
  readonly intervalMs: number;
  readonly lend: (encoding: Encoding) => Promise<Loan>;
  readonly contentType: string;
  readonly onPush: (outcome: { readonly ok: boolean; readonly epochMs: number }) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** The longest one push may take. */
  readonly timeoutMs?: number;
}

/**
 * Pushes at once and then at a fixed cadence until aborted. A failure is said once, and tried again at the next tick. Pages go
 * out compressed until the gateway refuses one, as old gateways do (prometheus/pushgateway#509).
 */
export async function pushRegularly(options: PushOptions): Promise<void> {
  const { intervalMs, signal, clock, onPush } = options;
  const log = logger("push");
  const said = new Set<string>();
  using client = options.proxy && proxyClient(options.proxy);
  const cadence = new Cadence(intervalMs, clock().monotonicMs);
  let encoding: Encoding = "gzip";
  while (!signal.aborted) {
    let problem = await pushOnce({ ...options, client }, encoding);
    if (encoding === "gzip" && problem?.refusesGzip && !signal.aborted) {
      encoding = "identity";
      log.info("Pushing uncompressed from now on", { url: options.url.href, cause: problem.text });
      problem = await pushOnce({ ...options, client }, encoding);
    }
    if (signal.aborted) return;
    onPush({ ok: problem === undefined, epochMs: clock().epochMs });
    if (problem !== undefined && !said.has(problem.kind)) {
      log.error("Failed to push metrics to PushGateway", { url: options.url.href, cause: problem.text });
      said.add(problem.kind);
    } else if (problem === undefined && said.size > 0) {
      log.info("Pushing metrics to PushGateway again", { url: options.url.href });
      said.clear();
    }
    await sleep(cadence.next(clock().monotonicMs), { signal });
  }
}

async function pushOnce(
  options: PushOptions & Pick<Sending, "client">,
  encoding: Encoding,
): Promise<Problem | undefined> {
  let body: Uint8Array<ArrayBuffer>;
  try {
    using loan = await options.lend(encoding);
    body = joinBytes(loan.page.parts);
  } catch (error) {
    return { kind: "no page", text: (error as Error).message };
  }
  try {
    return await send({ ...options, body, encoding });
  } finally {
    body.buffer.transfer(0); // Its memory is not left to V8, which lets it stand.
  }
}

/** Removes the group. A gateway that does not answer is left alone after `timeoutMs`. */
export async function deleteGroup(
  options: Pick<PushOptions, "url" | "timeoutMs" | "proxy">,
): Promise<void> {
  using client = options.proxy && proxyClient(options.proxy);
  const { url, timeoutMs = 1_000 } = options;
  const problem = await send({ ...options, client, method: "delete", timeoutMs });
  if (problem !== undefined) {
    logger("push").warn("Cannot delete the pushed group", { url: url.href, cause: problem.text });
  }
}

interface Sending {
  readonly url: URL;
  readonly method: PushMethod | "delete";
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly contentType?: string;
  readonly encoding?: Encoding;
  readonly proxy?: PushProxy | undefined;
  /** Of the proxy, if there is one. */
  readonly client?: Deno.HttpClient | undefined;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What went wrong. Of two with the same kind one is enough to read. */
interface Problem {
  readonly kind: string;
  readonly text: string;
  /** The answer may mean that the gateway takes no compressed page. */
  readonly refusesGzip?: boolean;
}

/** Sends one request; gives what went wrong, if anything. */
async function send(
  { url, method, body, contentType, encoding, proxy, client, timeoutMs = 10_000, signal }: Sending,
): Promise<Problem | undefined> {
  const reason = new Error(`no answer within ${timeoutMs} ms`);
  const way = proxy ? `through the proxy ${proxy.url}: ` : "";
  using deadline = new Deadline({ ms: timeoutMs, reason, outer: signal });
  try {
    const response = await fetch(url, {
      method: method.toUpperCase(),
      redirect: "manual",
      signal: deadline.signal,
      ...(body && { body }),
      ...(client && { client }),
      headers: {
        ...(contentType && { "content-type": contentType }),
        ...(encoding === "gzip" && { "content-encoding": "gzip" }),
      },
    });
    const text = response.ok ? "" : await beginning(response.body);
    if (response.ok) await response.body?.cancel();
    const kind = `${response.status} ${response.statusText}`.trim();
    if (response.ok) return undefined;
    const refusesGzip = response.status === 400 || response.status === 415;
    return { kind, text: `${way}${kind} ${text}`.trim(), refusesGzip };
  } catch (error) {
    return { kind: "no answer", text: way + causeText(error as Error) };
  }
}

/** What a body says first, in time: leaving it cancels it, so one that never ends is not read to its end. */
async function beginning(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const part of body ?? []) {
      text += decoder.decode(part, { stream: true });
      if (text.length >= MAX_PROBLEM_LENGTH) break;
    }
  } catch {
    // What came of it is better than nothing.
  }
  return text.trim().slice(0, MAX_PROBLEM_LENGTH);
}

const MAX_PROBLEM_LENGTH = 1_000;

/** Deno says "fetch failed"; its cause begins with both addresses, and the port of ours is another each time. */
function causeText({ message, cause }: Error): string {
  if (!(cause instanceof Error)) return message;
  return cause.message.replace(/^error sending request .*?: client error \(\w+\): /, "");
}
