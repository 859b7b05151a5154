import type { EndpointCounters } from "../scrape/answer.ts";

/** Of two under one name the later: a Pushgateway refuses a page with the same series twice. */
export function distinctEndpoints(endpoints: readonly EndpointCounters[]): readonly EndpointCounters[] {
  if (endpoints.length < 2) return endpoints;
  return [...new Map(endpoints.map((counters) => [counters.endpoint.toWellFormed(), counters])).values()];
}
