import { parseLoadJson } from "../dynamo/exact_integers.ts";
import { type Load, LoadError, type Mutable, parseLoad } from "../dynamo/load.ts";
import { parseInstanceSubject } from "../dynamo/subject.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import { type EndpointStats, EnvelopeError, readStatsReply } from "../micro/stats.ts";
import type { Instant } from "../timing.ts";

/** What one worker said of itself in one reply. */
export class Answer { // No literal: see ARCHITECTURE.md, "Memory".
  readonly worker: WorkerId;
  /** The number of the round whose question this answers. */
  readonly request: number;
  /** When it arrived. */
  readonly at: Instant;
  /** The service name under which the worker answered. */
  readonly service: string;
  readonly serviceVersion: string | undefined;
  readonly outcome: LoadOutcome;
  /** All endpoints of this worker in the reply, the asked one and its neighbours. */
  readonly endpoints: readonly EndpointCounters[];

  constructor(said: Said, { service, request, at }: Arrival) {
    this.worker = said.worker;
    this.request = request;
    this.at = at;
    this.service = service;
    this.serviceVersion = said.serviceVersion;
    this.outcome = said.outcome;
    this.endpoints = said.endpoints;
  }
}

/** What a reply says of one worker. */
export type Said = Pick<Answer, "worker" | "serviceVersion" | "outcome" | "endpoints">;

/** Which question a reply answers, who was asked, and when it came: the same for all that come at once. */
export type Arrival = Pick<Answer, "service" | "request" | "at">;

/** Usable load, or why there is none. */
export type LoadOutcome =
  | LoadRead
  | { readonly kind: "no_data" }
  | { readonly kind: "undecodable" };

/** Usable load. */
export class LoadRead {
  readonly kind = "load";
  constructor(readonly load: Load) {}
}

/** What the NATS service counted for one endpoint since its start; undefined where it did not say. */
export class EndpointCounters {
  readonly requests: number | undefined = undefined;
  readonly errors: number | undefined = undefined;
  readonly processingSeconds: number | undefined = undefined;

  constructor(readonly endpoint: string) {}
}

/** Why a whole reply was refused, and why one entry of a good reply was. Closed sets: they become labels. */
export const REPLY_REJECTIONS = ["not_json", "envelope", "too_large"] as const;
export const ENTRY_REJECTIONS = ["worker_id", "load"] as const;
export type ReplyRejection = typeof REPLY_REJECTIONS[number];
export type EntryRejection = typeof ENTRY_REJECTIONS[number];

/** Counts that begin. */
export function noRejections(): {
  rejected: Record<ReplyRejection, number>;
  rejectedEntries: Record<EntryRejection, number>;
} {
  return { rejected: { not_json: 0, envelope: 0, too_large: 0 }, rejectedEntries: { ...NO_ENTRY_REJECTED } };
}

export const NO_ENTRY_REJECTED: Readonly<Record<EntryRejection, number>> = { worker_id: 0, load: 0 };

/** What a reply holds: answers, and what had to be refused. `detail` is for the log. */
export interface ReadReply {
  readonly answers: readonly Answer[];
  readonly rejected?: ReplyRejection;
  readonly rejectedEntries: Readonly<Record<EntryRejection, number>>;
  readonly detail?: string;
}

/** Where a reply comes from, and for which endpoint it is read. */
export type ReplyOrigin = Arrival & { readonly endpoint: string };

/** A process with a thousand endpoints says less than half of this. */
export const MAX_REPLY_BYTES = 4 * 1024 * 1024;

/**
 * Reads one reply, whatever it holds, for the workers that serve `origin.endpoint` in it. Each entry is read alone: one
 * that cannot be used takes nothing from its neighbours, and every number stays with the worker that sent it.
 */
export function readReply(data: Uint8Array, origin: ReplyOrigin): ReadReply {
  const refuse = (rejected: ReplyRejection, detail: string) => ({
    answers: [],
    rejectedEntries: NO_ENTRY_REJECTED,
    rejected,
    detail,
  });
  if (data.length > MAX_REPLY_BYTES) return refuse("too_large", `${data.length} bytes`);
  let value: unknown;
  try {
    value = parseLoadJson(decoder.decode(data));
  } catch (error) {
    return refuse("not_json", (error as Error).message);
  }
  try {
    const reply = readStatsReply(value);
    return readEntries(reply.endpoints, reply.version, origin);
  } catch (error) {
    if (error instanceof EnvelopeError) return refuse("envelope", error.message);
    throw error;
  }
}

/** Names from outside become labels; what is longer than any real one is cut. */
const MAX_NAME = 256;

const decoder = new TextDecoder("utf-8", { fatal: true });

function readEntries(
  entries: readonly (EndpointStats | undefined)[],
  serviceVersion: string | undefined,
  origin: ReplyOrigin,
): ReadReply {
  const { service, endpoint } = origin;
  const answers: Answer[] = [];
  const rejectedEntries = { ...NO_ENTRY_REJECTED };
  const endpointsOf = new Map<WorkerId, EndpointCounters[]>();
  let detail: string | undefined;
  for (const stats of entries) {
    const name = stats && parseInstanceSubject(stats.subject, service);
    const worker = name?.worker;
    const isAsked = name?.endpoint === endpoint;
    if (stats === undefined || isAsked && worker === undefined) {
      rejectedEntries.worker_id++;
      detail = stats ? `no worker id in ${stats.subject}` : "an entry that is no endpoint";
    }
    if (stats === undefined || name === undefined || worker === undefined) continue;
    let endpoints = endpointsOf.get(worker);
    if (endpoints === undefined) endpointsOf.set(worker, endpoints = []);
    endpoints.push(toCounters(name.endpoint, stats));
    if (!isAsked) continue;
    const { outcome, problem } = readOutcome(stats.data);
    if (problem !== undefined) {
      rejectedEntries.load++;
      detail = `${stats.subject}: ${problem}`;
    }
    answers.push(new Answer({ worker, serviceVersion, outcome, endpoints }, origin));
  }
  return { answers, rejectedEntries, ...(detail !== undefined && { detail }) };
}

function readOutcome(data: unknown): { outcome: LoadOutcome; problem?: string } {
  if (data === undefined || data === null) return { outcome: { kind: "no_data" } };
  try {
    return { outcome: new LoadRead(parseLoad(data)) };
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    return { outcome: { kind: "undecodable" }, problem: error.message };
  }
}

function toCounters(
  endpoint: string,
  { requests, errors, processingNanos }: EndpointStats,
): EndpointCounters {
  const counters: Mutable<EndpointCounters> = new EndpointCounters(endpoint.slice(0, MAX_NAME));
  counters.requests = requests;
  counters.errors = errors;
  if (processingNanos !== undefined) counters.processingSeconds = processingNanos / 1e9;
  return counters;
}
