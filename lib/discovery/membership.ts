import type { ModelCard } from "../dynamo/model_card.ts";
import { ANY_RELEASE, type Releases } from "../dynamo/release.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";

/** Who is registered for a target. `known` is false while the store cannot say; the rest is then what was last known. */
export interface Membership {
  readonly known: boolean;
  readonly workers: ReadonlyMap<WorkerId, Registration>;
  /** Whose events are announced, workers and routers. */
  readonly publishers: ReadonlySet<string>;
  /** False when all workers there are can be seen without NATS. */
  readonly needsNats: boolean;
}

/** What is registered of one worker. */
export interface Registration {
  /** What its model card says. */
  readonly card: ModelCard | undefined;
  /** The machine it says it is on, as a URL writes it. */
  readonly host: string | undefined;
  /** Of which it can be, by the form of its keys; none if these contradict each other. */
  readonly releases: Releases;
  /** Those whose units its numbers have: the same, or if its keys contradict each other those that its card leaves. */
  readonly unitReleases: Releases;
}

/** That of a worker of which nothing is. */
export const NO_REGISTRATION: Registration = {
  card: undefined,
  host: undefined,
  releases: ANY_RELEASE,
  unitReleases: ANY_RELEASE,
};

export function isSameRegistration(one: Registration, other: Registration): boolean {
  return one === other ||
    one.card === other.card && one.host === other.host && one.releases === other.releases &&
      one.unitReleases === other.unitReleases;
}
