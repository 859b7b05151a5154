import type { Target } from "../dynamo/target.ts";
import type { EventInput } from "../events/channel_listener.ts";
import type { HitRateInput } from "../events/hit_rate_listener.ts";
import type { Observation } from "../events/observation.ts";
import type { FleetInput, Notes, UnheardReason } from "../fleet/fleet.ts";

/** What was taken in, and what came of it. */
export type Noted =
  | { readonly target: Target; readonly input: FleetInput; readonly notes: Notes }
  | { readonly namespace: string; readonly input: HitRateInput }
  | {
    readonly namespace: string;
    readonly input: EventInput;
    /** What came of workers that no target knows. */
    readonly unheard: ReadonlyMap<Observation, UnheardReason>;
  };

/** Counts what a Snapshot does not hold. Calls come in the order of what happened. */
export interface Recorder {
  note(noted: Noted): void;
}
