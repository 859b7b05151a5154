import { renderPage } from "../../lib/exposition/render.ts";
import type { CountedFamily } from "../../lib/exposition/samples.ts";
import { TEXT } from "../../lib/exposition/text.ts";
import type { Snapshot } from "../../lib/fleet/snapshot.ts";

/** The whole page of a Snapshot in the text format. */
export function renderText(snapshot: Snapshot, counted: readonly CountedFamily[]): string {
  return [...renderPage(TEXT, { snapshot, counted, workerLabels: "full" })].join("");
}
