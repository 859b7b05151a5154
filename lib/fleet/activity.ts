import type { Observation } from "../events/observation.ts";
import type { Instant } from "../timing.ts";
import { type Heard, rankBeats } from "./heard.ts";

/** What is kept between inputs to tell a stuck engine from an idle one and from one that has not begun. */
export interface Activity {
  /** When its page first said that requests are in flight; cleared when it says 0, or when no page is left. */
  readonly busySince: Instant | undefined;
  /** Since when the forward passes of all ranks heard so far can be heard without a gap; undefined if they cannot. */
  readonly heardSince: Instant | undefined;
  /** When a page last said that more tokens were generated than before. */
  readonly generatedAt: Instant | undefined;
  /** True once a pass was heard that ended, or a page said that tokens were generated. */
  readonly hasWorked: boolean;
}

export const NO_ACTIVITY: Activity = {
  busySince: undefined,
  heardSince: undefined,
  generatedAt: undefined,
  hasWorked: false,
};

/** The activity after an observation. `heard` is what is known then, `previous` what was known in its place. */
export function noteActivity(
  before: Activity,
  { said, at }: Observation,
  { heard, previous }: { readonly heard: Heard; readonly previous: Observation | undefined },
): Activity {
  if (said.kind === "page") {
    const { inFlight, generatedTokens = 0 } = said.numbers;
    const earlier = previous?.said.kind === "page" ? previous.said.numbers.generatedTokens : undefined;
    const busySince = isBusy(heard) ? before.busySince ?? at : undefined;
    const generatedAt = earlier !== undefined && generatedTokens > earlier ? at : before.generatedAt;
    const hasWorked = before.hasWorked || generatedTokens > 0;
    const isSame = (inFlight === undefined || busySince === before.busySince) &&
      generatedAt === before.generatedAt && hasWorked === before.hasWorked;
    return isSame ? before : { ...before, busySince, generatedAt, hasWorked };
  }
  if (said.kind !== "forward_pass" && said.kind !== "heartbeat") return before;
  const hasWorked = before.hasWorked || said.kind === "forward_pass";
  if (before.heardSince !== undefined && hasWorked === before.hasWorked) return before;
  return { ...before, heardSince: before.heardSince ?? at, hasWorked };
}

/** The activity after something was forgotten: `before` and `heard` are what was known and what is left. */
export function forgetActivity(
  activity: Activity,
  { before, heard }: { readonly before: Heard; readonly heard: Heard },
): Activity {
  const isGap = rankBeats(heard).size < rankBeats(before).size;
  return {
    ...activity,
    busySince: isBusy(heard) ? activity.busySince : undefined,
    heardSince: isGap ? undefined : activity.heardSince,
  };
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
 * Since when requests are in flight and no pass has ended. Undefined if nothing is in flight, if the passes of one of the
 * worker's ranks cannot be heard (`ranks`: how many it has), and before the engine's first pass: then it is not known
 * whether it should work.
 */
export function passlessSince(
  { busySince, heardSince, generatedAt, hasWorked }: Activity,
  { heard, ranks }: { readonly heard: Heard; readonly ranks: number },
): Instant | undefined {
  if (busySince === undefined || heardSince === undefined || !hasWorked) return undefined;
  if (!isBusy(heard) || rankBeats(heard).size < ranks) return undefined;
  let since = later(later(busySince, heardSince), generatedAt);
  for (const { said, at } of heard.values()) if (said.kind === "forward_pass") since = later(since, at);
  return since;
}

function later(one: Instant, other: Instant | undefined): Instant {
  return other !== undefined && other.monotonicMs > one.monotonicMs ? other : one;
}

/** Whether a page says now that requests are in flight. */
function isBusy(heard: Heard): boolean {
  for (const { said } of heard.values()) {
    if (said.kind === "page" && (said.numbers.inFlight ?? 0) > 0) return true;
  }
  return false;
}
