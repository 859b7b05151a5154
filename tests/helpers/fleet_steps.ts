import type { Target } from "../../lib/dynamo/target.ts";
import type { Observation, Said } from "../../lib/events/observation.ts";
import { NO_REGISTRATION } from "../../lib/discovery/membership.ts";
import type { ModelCard } from "../../lib/dynamo/model_card.ts";
import { ANY_RELEASE } from "../../lib/dynamo/release.ts";
import type { Load } from "../../lib/dynamo/load.ts";
import { type WorkerId, workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import {
  emptyFleet,
  type Fleet,
  type FleetInput,
  GONE_REASONS,
  type Notes,
  UNCOUNTED_REASONS,
  type UnheardReason,
} from "../../lib/fleet/fleet.ts";
import type { Sight } from "../../lib/fleet/look.ts";
import { type Answer, type LoadOutcome, noRejections } from "../../lib/scrape/answer.ts";
import type { Round } from "../../lib/scrape/round.ts";
import { apply, type AskedInput, snapshotTarget } from "./fleet_at_once.ts";

/** What the fleet is fed with in tests: inputs at moments, in milliseconds. */
export type Step = readonly [ms: number, input: AskedInput, sight?: Sight];

export const limits = { staleAfterMs: 3_000, forgetAfterMs: 30_000, stuckAfterMs: 10_000 };
export const target: Target = { namespace: "dynamo", component: "c", endpoint: "e" };
export const a = workerIdFromHex("a1")!;
export const b = workerIdFromHex("ffffffffffffffff")!;
export const at = (ms: number) => ({ monotonicMs: ms, epochMs: 1_000_000 + ms });

export function load(activeBlocks: number): LoadOutcome {
  const load: Load = { shape: "flat4", activeSlots: 1, totalSlots: 8, activeBlocks, totalBlocks: 100 };
  return { kind: "load", load };
}

export function answer(
  worker: WorkerId,
  request: number,
  ms: number,
  outcome: LoadOutcome = load(40),
): Answer {
  return {
    worker,
    request,
    at: at(ms),
    service: "dynamo_c",
    serviceVersion: "0.0.1",
    outcome,
    endpoints: [],
  };
}

export function round(
  request: number,
  ms: number,
  answers: readonly Answer[],
  outcome: Round["outcome"] = "quiet",
): FleetInput {
  const replies = { answers, replies: answers.length, ...noRejections() };
  return { kind: "round", round: { ...replies, request, sentAt: at(ms - 5), endedAt: at(ms), outcome } };
}

export function late(...answers: Answer[]): FleetInput {
  return { kind: "late", replies: { answers, replies: answers.length, ...noRejections() } };
}

/** What etcd says; `request` is the newest question then sent. */
export function etcd(request: number, known: boolean, ...workers: WorkerId[]): AskedInput {
  const registered = new Map(workers.map((worker) => [worker, NO_REGISTRATION]));
  return {
    kind: "membership",
    request,
    channels: [],
    membership: { known, workers: registered, publishers: new Set(), needsNats: true },
  };
}

export function time(request: number): AskedInput {
  return { kind: "time", request };
}

/** What etcd says of workers that send their events on ZMQ, each with a card. */
export function etcdOfChannels(
  known: boolean,
  cards: readonly ModelCard[],
): FleetInput {
  const workers = new Map(
    cards.map((card) => [card.worker, { ...NO_REGISTRATION, card }]),
  );
  return {
    kind: "membership",
    channels: [],
    membership: { known, workers, publishers: new Set(["9"]), needsNats: false },
  };
}

export function card(worker: WorkerId, more: Partial<ModelCard> = {}): ModelCard {
  return { worker, totalBlocks: 512, maxSeqs: 4, ranks: 1, releases: ANY_RELEASE, ...more };
}

/** By a way that only the target's workers have. */
export const ALONE: ReadonlySet<Target> = new Set([target]);

export function observed(
  ms: number,
  worker: WorkerId,
  said: Said,
  more: Partial<Observation> = {},
): Observation {
  return { worker, dpRank: 0, at: at(ms), channel: "event_zmq", via: "z", targets: ALONE, said, ...more };
}

export function observations(...observations: Observation[]): FleetInput {
  return { kind: "events", observations, lost: new Set(), counts: new Map() };
}

/** The connections by which observations came are lost. */
export function lost(...vias: string[]): FleetInput {
  return { kind: "events", observations: [], lost: new Set(vias), counts: new Map() };
}

/** All could be seen until then. */
export function seen(untilMs: number, sinceMs = -Infinity): Sight {
  return { sinceMs, untilMs };
}

/** Feeds inputs one after the other, each at its moment; the notes are those of all together. */
export function feed(...steps: readonly Step[]): { fleet: Fleet; notes: Notes } {
  let fleet: Fleet = emptyFleet(target);
  const sum = {
    uncounted: { duplicate_id: 0, late: 0, too_many_workers: 0 },
    gone: { deregistered: 0, forgotten: 0 },
    unheard: new Map<Observation, UnheardReason>(),
  };
  for (const [ms, input, sight = seen(ms)] of steps) {
    const result = apply(fleet, input, { now: at(ms), limits, sight });
    fleet = result.fleet;
    for (const reason of UNCOUNTED_REASONS) sum.uncounted[reason] += result.notes.uncounted[reason];
    for (const [observation, reason] of result.notes.unheard) sum.unheard.set(observation, reason);
    for (const reason of GONE_REASONS) sum.gone[reason] += result.notes.gone[reason];
  }
  return { fleet, notes: sum };
}

/** The state of each worker at a moment. */
export function states(fleet: Fleet, ms: number): Record<string, string> {
  const { workers } = snapshotTarget(fleet, { now: at(ms), limits });
  return Object.fromEntries(workers.map(({ id, state }) => [id, state]));
}
