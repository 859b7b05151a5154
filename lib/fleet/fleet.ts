import { FORWARD_PASS_EVENT } from "../dynamo/forward_pass.ts";
import { KV_METRICS_EVENT } from "../dynamo/kv_metrics.ts";
import type { Releases } from "../dynamo/release.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import type { MembershipInput } from "../discovery/directory.ts";
import type { EventInput } from "../events/channel_listener.ts";
import type { Observation } from "../events/observation.ts";
import { ExpectedWorkers } from "../scrape/expected_workers.ts";
import type { PageInput } from "../pages/worker_pages.ts";
import type { AnswerInput } from "../scrape/round.ts";
import type { Instant } from "../timing.ts";
import { type Changes, NO_CHANGES } from "./changes.ts";
import { FleetDraft } from "./fleet_draft.ts";
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
  /** How many answers within it came from a worker that had answered it already. */
  readonly answeredTwice: number;
}

export type FleetInput =
  | AnswerInput
  | MembershipInput
  | EventInput
  | PageInput
  /** Nothing came, but time passed. */
  | { readonly kind: "time" };

/** Why an answer did not count, and why a worker went. Closed sets: they become labels. */
export const UNCOUNTED_REASONS = ["duplicate_id", "late", "too_many_workers"] as const;
export const GONE_REASONS = ["deregistered", "forgotten"] as const;
export const UNHEARD_REASONS = ["unknown_worker", "too_many_workers"] as const;

/** The events by which workers are heard. */
export const HEARD_EVENTS = [KV_METRICS_EVENT, FORWARD_PASS_EVENT] as const;
export type HeardEvent = typeof HEARD_EVENTS[number];
export type UnheardReason = typeof UNHEARD_REASONS[number];

/** How many answers did not count, and how many workers went. */
export interface Notes {
  readonly uncounted: Readonly<Record<typeof UNCOUNTED_REASONS[number], number>>;
  readonly gone: Readonly<Record<typeof GONE_REASONS[number], number>>;
  /** What came of workers that are not known, or cannot be. */
  readonly unheard: ReadonlyMap<Observation, UnheardReason>;
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
  /** The newest question sent. */
  readonly request: number;
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
      yield* draft.takeMembership(input.membership);
      break;
    case "events":
    case "pages":
      draft.forgetVias(input.lost);
      yield* draft.takeObservations(input.observations);
      break;
    case "time":
      yield* draft.forget();
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
