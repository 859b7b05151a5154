import assert from "node:assert/strict";
import { compareWorkerIds, workerIdFromInteger } from "../../lib/dynamo/worker_id.ts";
import type { Snapshot } from "../../lib/fleet/snapshot.ts";
import { giveWay } from "../../lib/timing.ts";
import { eventually } from "../helpers/eventually.ts";
import { deploymentOf, Instances } from "../helpers/instances.ts";

const WORKERS = 3_000;
const CHANGES = 100;
const target = { namespace: "a", component: "b", endpoint: "c" };

Deno.test("keys that come and go between the slices of a Snapshot are in that or in the next, whole and in order", async () => {
  const store = new Instances(target);
  using deployment = deploymentOf({
    targets: [target],
    nats: undefined,
    store,
    pollIntervalMs: 105, // A tick in the midst of what a change made: that is 100 ms late.
    channels: new Set(),
  });
  const sets = Array.from({ length: CHANGES }, (_, n) =>
    // Each time others, and more of them.
    Array.from({ length: WORKERS + n }, (_, k) => workerIdFromInteger(1 + n + 7 * k)!));
  const shown: Snapshot[] = [];
  deployment.subscribe((snapshot) => shown.push(snapshot));
  const stop = new AbortController();
  const running = deployment.run(stop.signal);
  for (const workers of sets) {
    store.set(workers);
    for (let n = 0; n < 5; n++) { // In the midst of what is made meanwhile.
      while (giveWay() === undefined);
      await giveWay();
    }
  }
  const workersOf = ({ targets: [target] }: Snapshot) => target!.workers.map(({ id }) => id);
  await eventually(() => assert.equal(workersOf(deployment.snapshot).length, sets.at(-1)!.length));
  stop.abort();
  await running;
  const wanted = new Map(sets.map((ids) => [ids.length, ids.toSorted(compareWorkerIds)]));
  for (const [n, snapshot] of shown.entries()) {
    const ids = workersOf(snapshot);
    if (ids.length > 0) assert.deepEqual(ids, wanted.get(ids.length));
    if (n > 0) assert.equal(snapshot.seq, shown[n - 1]!.seq + 1);
    assert.equal(snapshot.targets[0]!.workersByState.discovered, ids.length);
  }
});
