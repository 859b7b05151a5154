import type { ModelCard } from "../dynamo/model_card.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";

/** Who is registered for a target. `known` is false while the store cannot say; the rest is then what was last known. */
export interface Membership {
  readonly known: boolean;
  readonly workers: ReadonlySet<WorkerId>;
  /** What their model cards say. */
  readonly cards: ReadonlyMap<WorkerId, ModelCard>;
  /** Those that have channels of their own for their events. */
  readonly withChannel: ReadonlySet<WorkerId>;
  /** False when all workers there are can be seen without NATS. */
  readonly needsNats: boolean;
}
