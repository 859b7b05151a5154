import type { Model } from "./model.ts";
import { verdictOf } from "./verdict.ts";

/** The document's title: a tab in the background says what is wrong, too. */
export function titleOf({ lostAtMs, fleet, target }: Pick<Model, "lostAtMs" | "fleet" | "target">): string {
  if (lostAtMs !== undefined) return "server lost · metrics";
  if (target === undefined) return "metrics";
  const { tone, line } = verdictOf(fleet, target);
  return tone === "good" ? "metrics" : `${line} · metrics`;
}
