import type { Instant } from "../timing.ts";
import type { Heard } from "./heard.ts";

/** What tells an engine that is stuck from one that is idle or has not begun, from one input to the next. */
export interface Activity {
  /** Since when its page says that requests are in flight; it stands while the page says nothing, and ends when it says none. */
  readonly busySince: Instant | undefined;
  /** Since when its forward passes can be heard without a gap; undefined if they cannot. */
  readonly heardSince: Instant | undefined;
  /** True once a pass was heard that ended, or a page said that tokens were generated. */
  readonly hasWorked: boolean;
}

export const NO_ACTIVITY: Activity = { busySince: undefined, heardSince: undefined, hasWorked: false };

/** The activity after something was heard at `at`, or forgotten. `heard` is what is known then. */
export function noteActivity(before: Activity, heard: Heard, at: Instant): Activity {
  let inFlight: number | undefined;
  let isHeard = false;
  let { hasWorked } = before;
  for (const { said } of heard.values()) {
    if (said.kind === "page") {
      if (said.numbers.inFlight !== undefined) inFlight = Math.max(inFlight ?? 0, said.numbers.inFlight);
      hasWorked ||= (said.numbers.generatedTokens ?? 0) > 0;
    } else if (said.kind === "forward_pass") isHeard = hasWorked = true;
    else if (said.kind === "heartbeat") isHeard = true;
  }
  const busySince = inFlight === 0
    ? undefined
    : before.busySince ?? (inFlight === undefined ? undefined : at);
  const heardSince = isHeard ? before.heardSince ?? at : undefined;
  const isSame = busySince === before.busySince && heardSince === before.heardSince &&
    hasWorked === before.hasWorked;
  return isSame ? before : { busySince, heardSince, hasWorked };
}

/** Whether the requests in flight wait for the engine's first pass: its page says that it has generated no token. */
export function isFirstPassPending({ busySince, hasWorked }: Activity, heard: Heard): boolean {
  if (busySince === undefined || hasWorked || !isBusy(heard)) return false;
  let generated: number | undefined;
  for (const { said } of heard.values()) {
    if (said.kind !== "page") continue;
    if ((said.numbers.running ?? 0) > 0) return false;
    const { generatedTokens } = said.numbers;
    if (generatedTokens !== undefined) generated = (generated ?? 0) + generatedTokens;
  }
  return generated === 0;
}

/**
 * Since when requests are in flight and no pass has ended. Undefined if nothing is in flight, if the worker's passes
 * cannot be heard, and before the engine's first pass: then it is not known whether it should work.
 */
export function passlessSince(
  { busySince, heardSince, hasWorked }: Activity,
  heard: Heard,
): Instant | undefined {
  if (busySince === undefined || heardSince === undefined || !hasWorked || !isBusy(heard)) return undefined;
  let since = busySince.monotonicMs > heardSince.monotonicMs ? busySince : heardSince;
  for (const { said, at } of heard.values()) {
    if (said.kind === "forward_pass" && at.monotonicMs > since.monotonicMs) since = at;
  }
  return since;
}

/** Whether a page says now that requests are in flight. */
function isBusy(heard: Heard): boolean {
  return heard.values().some(({ said }) => said.kind === "page" && (said.numbers.inFlight ?? 0) > 0);
}
