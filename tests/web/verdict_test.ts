import assert from "node:assert/strict";
import { FleetView } from "../../web/fleet_view.ts";
import { verdictOf } from "../../web/verdict.ts";
import type { Fleet, Round, State, TargetHead } from "../../lib/exposition/api_v1.ts";

const CONNECTED = {
  nats: { connected: true, reconnects: 0 },
  etcd: { kind: "etcd", connected: true },
} as const;
const NATS_AWAY = { ...CONNECTED, nats: { connected: false, reconnects: 0 } };

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

function viewOf({ workers, connections, target: { round, ...head } = {} }: Told): FleetView {
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
      up: true,
      needs_nats: true,
      ...head,
      aggregate: { workers: { ...none, ...workers }, ...(round && { round }) },
      workers: [],
    }],
  });
  return view;
}
