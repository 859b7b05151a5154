import { shownPath } from "../lib/view/fleet_view.ts";
import type { TargetView } from "../lib/view/fleet_view.ts";
import type { Model } from "./model.ts";
import type { Route } from "./route.ts";
import { STATE_WORDS } from "./text.ts";
import { verdictOf } from "../lib/view/verdict.ts";
import { printable, shortId, shownName } from "../lib/view/printable.ts";
import { conditionOf } from "../lib/view/worker_notes.ts";
import type { TargetName } from "../lib/exposition/api_v1.ts";

/** Dynamo's own: it tells nobody anything. */
const DEFAULT_NAMESPACE = "dynamo";

/**
 * The document's title: what is wrong first, since a tab in the background says it, too, and then of what the page is: a
 * worker, a target.
 */
export function titleOf(model: Pick<Model, "lostAtMs" | "fleet" | "target">, route: Route): string {
  const { lostAtMs, target } = model;
  const parts = [lostAtMs === undefined ? undefined : "server lost"];
  if (target !== undefined) {
    if (route.page === "worker") parts.push(workerPart(target, route.id));
    else if (lostAtMs === undefined) parts.push(verdictPart(model, target));
    parts.push(targetPart(target.name));
  }
  return [...parts, "metrics"].filter((part) => part !== undefined).join(" · ");
}

function verdictPart({ fleet }: Pick<Model, "fleet">, target: TargetView): string | undefined {
  const { tone, line } = verdictOf(fleet.head, target.head);
  return tone === "good" ? undefined : line.replace(` at ${shownPath(target.name)}`, "");
}

/** Its id, and what is wrong with it. */
function workerPart({ rows }: TargetView, id: string): string {
  const worker = rows.get(id)?.worker;
  const condition = worker === undefined ? "gone" : conditionOf(worker);
  const name = printable(shortId(id));
  switch (condition) {
    case "responding":
      return name;
    case "silent_ranks":
      return `${name} has silent ranks`;
    case "gone":
    case "stuck":
      return `${name} ${condition}`;
    default:
      return `${name} ${STATE_WORDS[condition]}`;
  }
}

/** The default namespace is left out. */
function targetPart(name: TargetName): string {
  const { namespace, component, endpoint } = name;
  return namespace === DEFAULT_NAMESPACE ? [component, endpoint].map(shownName).join("/") : shownPath(name);
}
