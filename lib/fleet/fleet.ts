import { FORWARD_PASS_EVENT } from "../dynamo/forward_pass.ts";
import type { HitRate } from "../dynamo/hit_rate.ts";
import { KV_METRICS_EVENT } from "../dynamo/kv_metrics.ts";
import type { Releases } from "../dynamo/release.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { Membership } from "../discovery/membership.ts";
import type { Observation } from "../events/observation.ts";
import { ExpectedWorkers } from "../scrape/expected_workers.ts";
import type { Replies, Round } from "../scrape/round.ts";
import type { Instant } from "../timing.ts";
import { type Changes, NO_CHANGES } from "./changes.ts";
import { FleetDraft } from "./fleet_draft.ts";
import { type HitRates, NO_HIT_RATES } from "./hit_rates.ts";
import type { Sight } from "./look.ts";
import type { Parts } from "./parts.ts";
import { type FleetLimits, isStale } from "./worker.ts";
import { releasesByService } from "./worker_release.ts";
import { WorkerTable } from "./worker_table.ts";

/**
 * What is known of one target, as a value: inputs go through `applyInParts`, which never waits, logs or asks the time.
 * Rules and edges are in ARCHITECTURE.md.
 */
export interface Fleet {
  readonly target: Target;
  /** The releases whose workers answer under each of the target's service names. */
  readonly byService: ReadonlyMap<string, Releases>;
  readonly workers: WorkerTable;
  readonly gone: ReadonlyMap<WorkerId, Tombstone>;
  /** True while etcd says who is there; else it is who answers. */
  readonly membershipFromEtcd: boolean;
  /** False when etcd shows that all workers there are can be seen without NATS. */
  readonly needsNats: boolean;
  readonly lastRound: RoundSummary | undefined;
  /** When the first round began after which none failed; undefined while they fail. */
  readonly goodRoundsSince: Instant | undefined;
  /** When the last round ended that did not fail. */
  readonly lastGoodRoundAt: Instant | undefined;
  /** When the last round ended in which all answered that were expected. */
  readonly lastCompleteRoundAt: Instant | undefined;
  readonly hitRates: HitRates;
  /** What became of the workers. */
  readonly changes: Changes;
}

/** Remembers that a worker is gone: only an answer to a question after `request` can bring it back. */
export interface Tombstone {
  readonly request: number;
  readonly atMs: number;
}

/** The newest round that was tried. */
export interface RoundSummary {
  readonly request: number;
  readonly failed: boolean;
  readonly sentAt: Instant;
  readonly endedAt: Instant;
  /** How many had answered before and were not gone when it began, silent ones too. */
  readonly expected: number;
  /** How many different workers answered within it, newcomers too, and how many of those with load. */
  readonly answered: number;
  readonly decoded: number;
}

export type FleetInput =
  | { readonly kind: "round"; readonly round: Round }
  | { readonly kind: "late"; readonly replies: Replies }
  /** `request` is the newest question sent when this was learned. */
  | { readonly kind: "membership"; readonly membership: Membership; readonly request: number }
  | { readonly kind: "hit_rates"; readonly events: readonly HitRate[] }
  | { readonly kind: "observations"; readonly observations: readonly Observation[] }
  /** The connections by which observations came are lost. */
  | { readonly kind: "lost"; readonly vias: ReadonlySet<string> }
  /** Nothing came, but time passed. */
  | { readonly kind: "time"; readonly request: number };

/** Why an answer did not count, and why a worker went. Closed sets: they become labels. */
export const UNCOUNTED_REASONS = ["duplicate_id", "late", "too_many_workers"] as const;
export const GONE_REASONS = ["deregistered", "forgotten"] as const;
export const UNHEARD_REASONS = ["unknown_worker", "too_many_workers"] as const;

/** The events by which workers are heard. */
export const HEARD_EVENTS = [KV_METRICS_EVENT, FORWARD_PASS_EVENT] as const;
export type HeardEvent = typeof HEARD_EVENTS[number];

/** How many answers did not count, and how many workers went. */
export interface Notes {
  readonly uncounted: Readonly<Record<typeof UNCOUNTED_REASONS[number], number>>;
  readonly gone: Readonly<Record<typeof GONE_REASONS[number], number>>;
  /** Events of nobody that is known, or can be, by event. */
  readonly unheard: Readonly<Record<HeardEvent, Readonly<Record<typeof UNHEARD_REASONS[number], number>>>>;
}

export function emptyFleet(target: Target): Fleet {
  return {
    target,
    byService: releasesByService(target),
    workers: WorkerTable.EMPTY,
    gone: new Map(),
    membershipFromEtcd: false,
    needsNats: true,
    lastRound: undefined,
    goodRoundsSince: undefined,
    lastGoodRoundAt: undefined,
    lastCompleteRoundAt: undefined,
    hitRates: NO_HIT_RATES,
    changes: NO_CHANGES,
  };
}

/** The fleet after an input, and what happened on the way. */
export interface Applied {
  readonly fleet: Fleet;
  readonly notes: Notes;
}

export interface ApplyOptions {
  readonly now: Instant;
  readonly limits: FleetLimits;
  readonly sight: Sight;
}

/** The fleet after `input`, which is there when all parts are done: `fleet` stays what it is. */
export function* applyInParts(fleet: Fleet, input: FleetInput, options: ApplyOptions): Parts<Applied> {
  const draft = new FleetDraft(fleet, options);
  switch (input.kind) {
    case "round":
      yield* draft.closeRound(input.round);
      break;
    case "late":
      yield* draft.takeAnswers(input.replies.answers);
      break;
    case "membership":
      yield* draft.takeMembership(input);
      break;
    case "hit_rates":
      draft.takeHitRates(input.events);
      break;
    case "observations":
      yield* draft.takeObservations(input.observations);
      break;
    case "lost":
      draft.forgetVias(input.vias);
      break;
    case "time":
      yield* draft.forget(input.request);
      break;
  }
  return draft.finish();
}

/** Whom the next round waits for: those who answered before and are not silent. */
export function expectedWorkers(
  { workers }: Fleet,
  options: Pick<ApplyOptions, "now" | "limits">,
): ExpectedWorkers {
  const services = workers.values().map(({ answer }) =>
    answer && !isStale(answer.at, options) ? answer.service : undefined
  );
  return new ExpectedWorkers(services, (id) => workers.position(id));
}
