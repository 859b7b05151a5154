import assert from "node:assert/strict";
import { parseRoute } from "../../web/route.ts";
import { titleOf } from "../../web/title.ts";
import type { FindingCounts, State, TargetName, Worker } from "../../lib/exposition/api_v1.ts";
import { FleetView } from "../../lib/view/fleet_view.ts";

Deno.test("the title says what is wrong, and of which worker and target the page is", () => {
  const silent: Worker = { id: "7587884888253033398", state: "silent", channels: [] };
  const stuck: Worker = { id: "42", state: "responding", channels: [], stuck_since: "2026-01-01T00:00:00Z" };
  const well: Worker = { id: "7587884888253582797", state: "responding", channels: [] };
  const none = viewOf({ workers: {}, finding_counts: { nobody_registered: 1 } });
  const all = viewOf({ workers: { responding: 6 } }, [well]);
  const some = viewOf({ workers: { responding: 5, silent: 1 }, finding_counts: { worker_silent: 1 } }, [
    well,
    silent,
    stuck,
  ]);
  const other = viewOf({ workers: { responding: 6 } }, [], {
    namespace: "prod\u202e",
    component: "",
  });
  const titles:
    readonly (readonly [fleet: FleetView, hash: string, lostAtMs: number | undefined, title: string])[] = [
      [new FleetView(), "", undefined, "metrics"],
      [new FleetView(), "#/worker/1", 5, "server lost · metrics"],
      [all, "", undefined, "c/e · metrics"],
      [other, "", undefined, "prod�/(empty)/e · metrics"],
      [none, "", undefined, "No worker is registered · c/e · metrics"],
      [some, "#/?q=x", undefined, "1 of 6 workers is silent · c/e · metrics"],
      [some, "", 5, "server lost · c/e · metrics"],
      [some, `#/worker/${well.id}`, undefined, "…582797 · c/e · metrics"],
      [some, `#/worker/${silent.id}`, undefined, "…033398 silent · c/e · metrics"],
      [some, "#/worker/42", undefined, "42 stuck · c/e · metrics"],
      [some, "#/worker/43", undefined, "43 gone · c/e · metrics"],
      [some, `#/worker/${well.id}`, 5, "server lost · …582797 · c/e · metrics"],
    ];
  for (const [fleet, hash, lostAtMs, title] of titles) {
    assert.equal(titleOf({ fleet, target: fleet.targets[0], lostAtMs }, parseRoute(hash)), title);
  }
});

function viewOf(
  { workers, finding_counts = {} }: {
    readonly workers: Partial<Record<State, number>>;
    readonly finding_counts?: FindingCounts;
  },
  records: readonly Worker[] = [],
  name: Partial<TargetName> = {},
): FleetView {
  const none = { responding: 0, silent: 0, discovered: 0, no_data: 0, undecodable: 0 };
  const view = new FleetView();
  view.replace({
    seq: 1,
    at: "2026-01-01T00:00:00Z",
    findings: [{
      code: "nobody_registered",
      severity: "warning",
      text: "no worker is registered at dynamo/c/e",
      hint: "",
    }],
    targets: [{
      namespace: "dynamo",
      component: "c",
      endpoint: "e",
      ...name,
      up: true,
      needs_nats: true,
      finding_counts,
      aggregate: { workers: { ...none, ...workers } },
      workers: records,
    }],
  });
  return view;
}
