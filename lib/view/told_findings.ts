import type { Fleet } from "../exposition/api_v1.ts";
import { printable } from "./printable.ts";

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

/** "Registered are a/b/c, d/e/f", while nobody is registered at a target; undefined if nothing else is known to be. */
export function registeredInstead({ findings = [] }: ToldFindings, path: string): string | undefined {
  const found = findings.find(({ code, target }) => code === "nobody_registered" && target === path);
  return found?.hint.startsWith("registered ") ? `R${printable(found.hint).slice(1)}` : undefined;
}
