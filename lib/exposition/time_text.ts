import type { Instant } from "../timing.ts";

/** RFC 3339, UTC, to the millisecond. */
export function timeText({ epochMs }: Instant): string {
  return new Date(epochMs).toISOString();
}
