import { NO_REGISTRATION, type Registration } from "../discovery/membership.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { Observation, Said } from "../events/observation.ts";
import type { Answer } from "../scrape/answer.ts";
import type { Instant } from "../timing.ts";
import type { GoneReason } from "./changes.ts";
import { type Activity, forgetActivity, NO_ACTIVITY, noteActivity } from "./activity.ts";
import { forgetVias, hear, type Heard, heardBefore, NOTHING_HEARD } from "./heard.ts";
import { countersKey, NO_PREFIX_HITS, notePrefixHits, type PrefixHits } from "./prefix_hits.ts";
import { type BlockEvidence, NO_EVIDENCE, noteEvidence } from "./worker_units.ts";

/** One worker that is not gone. */
export interface Worker {
  readonly id: WorkerId;
  /** Whether etcd lists it; undefined while etcd does not say. */
  readonly registered: boolean | undefined;
  /**
   * Set while its key is missing and no round since has decided: the newest question then sent. An answer to a later
   * question keeps the worker, a later round without one ends it.
   */
  readonly undecidedSince: number | undefined;
  /** The newest, undefined while it never answered. */
  readonly answer: Answer | undefined;
  /** What was heard of it without asking. */
  readonly heard: Heard;
  readonly activity: Activity;
  readonly prefixHits: PrefixHits;
  readonly evidence: BlockEvidence;
  /**
   * When it last said anything, once it has sent a heartbeat or where nobody lists it; undefined of one that is listed
   * and speaks only when its load changes.
   */
  readonly beatAt: Instant | undefined;
  /** It was heard before anybody listed it: it lives by what it says. */
  readonly livesByEvents: boolean;
  /** What etcd says of it; the last known while etcd is away. */
  readonly registration: Registration;
  /** Set while it is silent, once that could be seen: how many workers were alive before. */
  readonly silence: { readonly aliveBefore: number } | undefined;
  /** What its end is to be called, of one whose key has vanished. */
  readonly withdrawn: GoneReason | undefined;
}

export interface FleetLimits {
  /** From a worker's last answer to the moment when it is silent and its load no longer counts. */
  readonly staleAfterMs: number;
  /** From the last answer of a worker that etcd does not list to the moment when it is gone. */
  readonly forgetAfterMs: number;
  /** How long requests are in flight without a finished pass until a worker is stuck. */
  readonly stuckAfterMs: number;
}

/** One of which nothing is known but who it is. */
export function newWorker(id: WorkerId, registered: boolean | undefined): Worker {
  return {
    id,
    registered,
    undecidedSince: undefined,
    answer: undefined,
    heard: NOTHING_HEARD,
    activity: NO_ACTIVITY,
    prefixHits: NO_PREFIX_HITS,
    evidence: NO_EVIDENCE,
    beatAt: undefined,
    livesByEvents: false,
    registration: NO_REGISTRATION,
    silence: undefined,
    withdrawn: undefined,
  };
}

/** True from the moment when a sign of life is too old to count. */
export function isStale(at: Instant, { now, limits }: { now: Instant; limits: FleetLimits }): boolean {
  return now.monotonicMs - at.monotonicMs >= limits.staleAfterMs;
}

/**
 * The last sign of life of a worker that gives them regularly: an answer to a question, its page, or anything it says
 * while it sends heartbeats. Undefined for one that speaks only when its load changes: its silence means nothing.
 */
export function lastSign({ answer, beatAt }: Worker): Instant | undefined {
  if (answer === undefined || beatAt === undefined) return answer?.at ?? beatAt;
  return beatAt.monotonicMs > answer.at.monotonicMs ? beatAt : answer.at;
}

/** The worker with this heard of it. */
export function listen(worker: Worker, observation: Observation): Worker {
  const { said, at } = observation;
  const { card, unitReleases } = worker.registration;
  const beats = isRegular(said) ||
    said.kind !== "router" && (worker.beatAt !== undefined || worker.livesByEvents);
  const isNewer = worker.beatAt === undefined || at.monotonicMs > worker.beatAt.monotonicMs;
  const heard = hear(worker.heard, observation);
  return {
    ...worker,
    heard,
    activity: noteActivity(worker.activity, observation, {
      heard,
      previous: heardBefore(worker.heard, observation),
    }),
    prefixHits: withPrefixHits(worker, observation),
    evidence: noteEvidence(worker.evidence, observation, { heard, card, possible: unitReleases }),
    beatAt: beats && isNewer ? at : worker.beatAt,
  };
}

function withPrefixHits({ prefixHits }: Worker, { said, dpRank, via, at }: Observation): PrefixHits {
  if (said.kind !== "page") return prefixHits;
  const { prefixHits: hits, prefixQueries: queries } = said.numbers;
  if (hits === undefined || queries === undefined) return prefixHits;
  return notePrefixHits(prefixHits, countersKey({ via, dpRank }), { atMs: at.monotonicMs, hits, queries });
}

/** Whether an endpoint counts fewer requests than it did before: its counters began again. */
export function countersFell(before: Answer, after: Answer): boolean {
  return after.endpoints.some(({ endpoint, requests }, n) => {
    const known = before.endpoints[n]?.endpoint === endpoint
      ? before.endpoints[n]
      : before.endpoints.find((other) => other.endpoint === endpoint);
    return requests !== undefined && known?.requests !== undefined && requests < known.requests;
  });
}

/** Whether the counters of a page are below what the same page said before. */
export function pageCountersFell({ prefixHits, heard }: Worker, observation: Observation): boolean {
  const { said } = observation;
  if (said.kind !== "page") return false;
  const before = heardBefore(heard, observation);
  if (before && before.at.monotonicMs > observation.at.monotonicMs) return false;
  const generated = before?.said.kind === "page" ? before.said.numbers.generatedTokens : undefined;
  const queries = prefixHits.get(countersKey(observation))?.queries;
  return isBelow(said.numbers.generatedTokens, generated) || isBelow(said.numbers.prefixQueries, queries);
}

function isBelow(now: number | undefined, before: number | undefined): boolean {
  return now !== undefined && before !== undefined && now < before;
}

/** The worker without what came by connections that are lost. */
export function forget(worker: Worker, vias: ReadonlySet<string>): Worker {
  const heard = forgetVias(worker.heard, vias);
  if (heard === worker.heard) return worker;
  return { ...worker, heard, activity: forgetActivity(worker.activity, { before: worker.heard, heard }) };
}

/** A worker that is listed from now on: its silence means something only if it sends heartbeats. */
export function toListed(worker: Worker): Worker {
  const sendsHeartbeats = worker.heard.values().some(({ said }) => isRegular(said));
  return { ...worker, livesByEvents: false, beatAt: sendsHeartbeats ? worker.beatAt : undefined };
}

/** What a worker says again and again, whatever it does. */
function isRegular({ kind }: Said): boolean {
  return kind === "forward_pass" || kind === "heartbeat" || kind === "page";
}
