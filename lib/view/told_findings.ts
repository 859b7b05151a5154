import type { Fleet } from "../exposition/api_v1.ts";

/** What the API tells of findings. */
export type ToldFindings = Pick<Fleet, "findings" | "findings_more">;

/** The findings after a change, which tells them if they are others than before. */
export function findingsAfter(
  before: ToldFindings,
  change: ToldFindings,
): ToldFindings {
  const { findings, findings_more } = change.findings === undefined ? before : change;
  return { ...(findings && { findings }), ...(findings_more !== undefined && { findings_more }) };
}
