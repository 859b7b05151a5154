import type { EndpointCounters } from "../scrape/answer.ts";

/** Of two under one name the later: a Pushgateway refuses a page with the same series twice. */
export function distinctEndpoints(endpoints: readonly EndpointCounters[]): readonly EndpointCounters[] {
  if (areDistinct(endpoints)) return endpoints;
  return [...new Map(endpoints.map((counters) => [counters.endpoint.toWellFormed(), counters])).values()];
}

/** Up to so many are compared each with each, which is cheaper than a Map of them. */
const FEW = 8;

/** Whether they are few, and no two have one name. */
function areDistinct(endpoints: readonly EndpointCounters[]): boolean {
  if (endpoints.length > FEW) return false;
  for (let n = 1; n < endpoints.length; n++) {
    const name = endpoints[n]!.endpoint.toWellFormed();
    for (let m = 0; m < n; m++) if (endpoints[m]!.endpoint.toWellFormed() === name) return false;
  }
  return true;
}
