import assert from "node:assert/strict";
import { FleetView } from "../../lib/view/fleet_view.ts";
import { verdictOf } from "../../web/verdict.ts";
import { parseRoute } from "../../web/route.ts";
import { titleOf } from "../../web/title.ts";
import type { Aggregate, Fleet, Round, State, TargetHead, Worker } from "../../lib/exposition/api_v1.ts";
import { stuckNote } from "../../lib/view/worker_notes.ts";

const CONNECTED = {
  nats: { connected: true, reconnects: 0 },
  etcd: { kind: "etcd", connected: true },
} as const;
const NATS_AWAY = { ...CONNECTED, nats: { connected: false, reconnects: 0 } };

const FLEET = parseRoute("");

const ROUND: Round = {
  at: "2026-01-01T00:00:00Z",
  seconds: 1,
  failed: false,
  expected: 0,
  answered: 0,
  decoded: 0,
};
const NOT_NEEDED = { needs_nats: false };
const FAILED = { up: false, round: { ...ROUND, failed: true } };

interface Told {
  readonly workers: Partial<Record<State, number>>;
  readonly troubles?: Partial<Omit<Aggregate, "workers" | "round">>;
  readonly connections: Pick<Fleet, "nats" | "etcd">;
  readonly target?: Partial<Pick<TargetHead, "up" | "needs_nats">> & { readonly round?: Round };
}

const VERDICTS: readonly (Told & { readonly verdict: readonly [tone: string, line: string] })[] = [
  { workers: { responding: 3 }, connections: CONNECTED, verdict: ["good", "All 3 workers are alive"] },
  { workers: { responding: 1 }, connections: CONNECTED, verdict: ["good", "The worker is alive"] },
  {
    workers: { responding: 2, silent: 1 },
    connections: CONNECTED,
    verdict: ["bad", "1 of 3 workers is silent"],
  },
  { workers: { silent: 2 }, connections: CONNECTED, verdict: ["bad", "2 of 2 workers are silent"] },
  {
    workers: { responding: 3 },
    troubles: { workers_stuck: 1 },
    connections: CONNECTED,
    verdict: ["bad", "1 worker is stuck"],
  },
  {
    workers: { responding: 3, no_data: 1 },
    troubles: { workers_stuck: 3, ranks_silent: 2 },
    connections: CONNECTED,
    verdict: ["bad", "3 workers are stuck"],
  },
  {
    workers: { responding: 2, silent: 1 },
    troubles: { workers_stuck: 1 },
    connections: CONNECTED,
    verdict: ["bad", "1 of 3 workers is silent"],
  },
  {
    workers: { responding: 3 },
    troubles: { workers_stuck: 1 },
    connections: NATS_AWAY,
    verdict: ["bad", "NATS cannot be reached"],
  },
  {
    workers: { responding: 3, undecodable: 1 },
    troubles: { ranks_silent: 1, workers_partial: 1 },
    connections: CONNECTED,
    verdict: ["warn", "1 rank is silent"],
  },
  {
    workers: { responding: 3 },
    troubles: { ranks_silent: 2 },
    connections: CONNECTED,
    verdict: ["warn", "2 ranks are silent"],
  },
  {
    workers: { responding: 3 },
    troubles: { workers_partial: 1 },
    connections: CONNECTED,
    verdict: ["good", "All 3 workers are alive"],
  },
  {
    workers: { responding: 3 },
    troubles: { requests_waiting: 23, slots_total: 24 },
    connections: CONNECTED,
    verdict: ["good", "All 3 workers are alive"],
  },
  {
    workers: { responding: 3 },
    troubles: { requests_waiting: 1_024, slots_total: 24 },
    connections: CONNECTED,
    verdict: ["warn", "All 3 workers are alive, 1,024 requests wait"],
  },
  {
    workers: { responding: 1 },
    troubles: { requests_waiting: 1, slots_total: 1 },
    connections: CONNECTED,
    verdict: ["warn", "The worker is alive, 1 request waits"],
  },
  {
    workers: { responding: 3, silent: 1 },
    troubles: { requests_waiting: 1_024 },
    connections: CONNECTED,
    verdict: ["bad", "1 of 4 workers is silent"],
  },
  {
    workers: { responding: 2, no_data: 1, undecodable: 2 },
    connections: CONNECTED,
    verdict: ["warn", "2 undecodable, 1 no data of 5 workers"],
  },
  {
    workers: { responding: 2, discovered: 1 },
    connections: CONNECTED,
    verdict: ["warn", "1 of 3 workers not heard yet"],
  },
  { workers: {}, connections: CONNECTED, verdict: ["warn", "No workers found at dynamo/c/e"] },
  {
    workers: { responding: 2, silent: 1 },
    connections: NATS_AWAY,
    target: { up: false },
    verdict: ["bad", "NATS cannot be reached"],
  },
  {
    workers: { responding: 3 },
    connections: NATS_AWAY,
    target: NOT_NEEDED,
    verdict: ["good", "All 3 workers are alive"],
  },
  {
    workers: { responding: 2, silent: 1 },
    connections: NATS_AWAY,
    target: NOT_NEEDED,
    verdict: ["bad", "1 of 3 workers is silent"],
  },
  {
    workers: {},
    connections: { ...NATS_AWAY, etcd: { kind: "etcd", connected: false } },
    verdict: ["bad", "NATS and etcd cannot be reached"],
  },
  {
    workers: { responding: 1 },
    connections: { ...NATS_AWAY, etcd: { kind: "etcd", connected: false } },
    target: NOT_NEEDED,
    verdict: ["bad", "Etcd cannot be reached"],
  },
  {
    workers: {},
    connections: { etcd: { kind: "file", connected: false } },
    verdict: ["bad", "The file store cannot be reached"],
  },
  {
    workers: { responding: 2 },
    connections: CONNECTED,
    target: FAILED,
    verdict: ["bad", "The last round failed"],
  },
  { workers: {}, connections: CONNECTED, target: { up: false }, verdict: ["warn", "Not looked at yet"] },
  {
    workers: { discovered: 2 },
    connections: { etcd: CONNECTED.etcd },
    target: { up: false },
    verdict: ["bad", "Workers cannot be seen without NATS"],
  },
  {
    workers: {},
    connections: { etcd: CONNECTED.etcd },
    target: { up: false },
    verdict: ["warn", "No workers found at dynamo/c/e"],
  },
];

for (const { verdict, ...told } of VERDICTS) {
  Deno.test(`the verdict of ${JSON.stringify(told)} is: ${verdict[1]}`, () => {
    const fleet = viewOf(told);
    const { tone, line } = verdictOf(fleet, fleet.targets[0]!);
    assert.deepEqual([tone, line], verdict);
  });
}

Deno.test("of one stuck worker the verdict says how it is, of several it does not; the title says no seconds", () => {
  const stuck: Worker = {
    id: "42",
    state: "responding",
    channels: [],
    stuck_since: "2026-01-01T00:00:00Z",
    requests_in_flight: 8,
  };
  const well: Worker = { id: "1", state: "responding", channels: [] };
  const told = { workers: { responding: 2 }, connections: CONNECTED };
  const one = viewOf({ ...told, troubles: { workers_stuck: 1 } }, [well, stuck]);
  const { stuck: found } = verdictOf(one, one.targets[0]!);
  assert.equal(found?.id, "42");
  assert.equal(
    stuckNote(found, Date.parse("2026-01-01T00:00:20.900Z")),
    "8 requests in flight, no forward pass for 20 s",
  );
  assert.equal(
    titleOf({ fleet: one, target: one.targets[0], lostAtMs: undefined }, FLEET),
    "1 worker is stuck · c/e · metrics",
  );
  const two = viewOf({ ...told, troubles: { workers_stuck: 2 } }, [stuck, { ...stuck, id: "43" }]);
  assert.equal(verdictOf(two, two.targets[0]!).stuck, undefined);
});

Deno.test("the title says what is wrong, and of which worker and target the page is", () => {
  const silent: Worker = { id: "7587884888253033398", state: "silent", channels: [] };
  const stuck: Worker = { id: "42", state: "responding", channels: [], stuck_since: "2026-01-01T00:00:00Z" };
  const well: Worker = { id: "7587884888253582797", state: "responding", channels: [] };
  const none = viewOf({ workers: {}, connections: CONNECTED });
  const all = viewOf({ workers: { responding: 6 }, connections: CONNECTED }, [well]);
  const some = viewOf({ workers: { responding: 5, silent: 1 }, connections: CONNECTED }, [
    well,
    silent,
    stuck,
  ]);
  const other = viewOf({ workers: { responding: 6 }, connections: CONNECTED }, [], {
    namespace: "prod\u202e",
    component: "",
  });
  const titles:
    readonly (readonly [fleet: FleetView, hash: string, lostAtMs: number | undefined, title: string])[] = [
      [new FleetView(), "", undefined, "metrics"],
      [new FleetView(), "#/worker/1", 5, "server lost · metrics"],
      [all, "", undefined, "c/e · metrics"],
      [other, "", undefined, "prod�/(empty)/e · metrics"],
      [none, "", undefined, "No workers found · c/e · metrics"],
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

Deno.test("a NATS that is away is missed where some target needs it", () => {
  const miss = (needs_nats: boolean) =>
    viewOf({ workers: {}, connections: NATS_AWAY, target: { needs_nats } }).missesNats();
  assert.deepEqual([miss(true), miss(false)], [true, false]);
  assert.equal(viewOf({ workers: {}, connections: CONNECTED }).missesNats(), false);
});

Deno.test("that there are no workers is said with what was looked at", () => {
  const fleet = viewOf({ workers: {}, connections: CONNECTED });
  assert.equal(
    verdictOf(fleet, fleet.targets[0]!).hint,
    "Etcd lists none and nobody answers over NATS. Are namespace, component and endpoint right, and are workers running?",
  );
});

function viewOf(
  { workers, troubles, connections, target: { round, ...head } = {} }: Told,
  records: readonly Worker[] = [],
  name: Partial<TargetHead> = {},
): FleetView {
  const none = { responding: 0, silent: 0, discovered: 0, no_data: 0, undecodable: 0 };
  const view = new FleetView();
  view.replace({
    seq: 1,
    at: "2026-01-01T00:00:00Z",
    ...connections,
    targets: [{
      namespace: "dynamo",
      component: "c",
      endpoint: "e",
      ...name,
      up: true,
      needs_nats: true,
      ...head,
      aggregate: { workers: { ...none, ...workers }, ...troubles, ...(round && { round }) },
      workers: records,
    }],
  });
  return view;
}
