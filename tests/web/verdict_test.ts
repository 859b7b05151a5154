import assert from "node:assert/strict";
import { FleetView } from "../../web/fleet_view.ts";
import { verdictOf } from "../../web/verdict.ts";
import type { Fleet, State } from "../../web/wire.ts";

const CONNECTED = {
  nats: { connected: true, reconnects: 0 },
  etcd: { kind: "etcd", connected: true },
} as const;
const NATS_AWAY = { ...CONNECTED, nats: { connected: false, reconnects: 0 } };

const VERDICTS: readonly [Partial<Record<State, number>>, Pick<Fleet, "nats" | "etcd">, string, string][] = [
  [{ responding: 3 }, CONNECTED, "good", "All 3 workers are alive"],
  [{ responding: 1 }, CONNECTED, "good", "The worker is alive"],
  [{ responding: 2, silent: 1 }, CONNECTED, "bad", "1 of 3 workers is silent"],
  [{ silent: 2 }, CONNECTED, "bad", "2 of 2 workers are silent"],
  [{ responding: 2, no_data: 1, undecodable: 2 }, CONNECTED, "warn", "2 undecodable, 1 no data of 5 workers"],
  [{ responding: 2, discovered: 1 }, CONNECTED, "warn", "1 of 3 workers not heard yet"],
  [{}, CONNECTED, "warn", "No workers found at dynamo/c/e"],
  [{ responding: 2, silent: 1 }, NATS_AWAY, "bad", "NATS cannot be reached"],
  [{}, { ...NATS_AWAY, etcd: { kind: "etcd", connected: false } }, "bad", "NATS and etcd cannot be reached"],
  [{}, { etcd: { kind: "file", connected: false } }, "bad", "The file store cannot be reached"],
];

for (const [workers, connections, tone, line] of VERDICTS) {
  Deno.test(`the verdict of ${JSON.stringify(workers)} is: ${line}`, () => {
    const fleet = viewOf(workers, connections);
    const verdict = verdictOf(fleet, fleet.targets[0]!);
    assert.deepEqual([verdict.tone, verdict.line], [tone, line]);
  });
}

Deno.test("that there are no workers is said with what was looked at", () => {
  const fleet = viewOf({}, CONNECTED);
  assert.equal(
    verdictOf(fleet, fleet.targets[0]!).hint,
    "Etcd lists none and nobody answers over NATS. Are namespace, component and endpoint right, and are workers running?",
  );
});

function viewOf(
  workers: Partial<Record<State, number>>,
  connections: Pick<Fleet, "nats" | "etcd">,
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
      up: true,
      aggregate: { workers: { ...none, ...workers } },
      workers: [],
    }],
  });
  return view;
}
