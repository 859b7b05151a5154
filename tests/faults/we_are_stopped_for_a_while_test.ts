import assert from "node:assert/strict";
import { readFleet } from "../helpers/api_reader.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("after we were stopped for a while nobody has fallen silent who is there, and who went meanwhile was not lost", async () => {
  await using deployment = await Deployment.start({ staleAfter: "2", forgetAfter: "20" });
  const { metrics } = deployment;
  const leaver = deployment.play(1, { seed: "2" });
  deployment.play(3);
  await eventually(async () => assert.equal((await deployment.page()).loaded().length, 4));
  metrics.pause();
  await leaver[Symbol.asyncDispose]();
  await pausedFor(4_000);
  metrics.resume();
  const [target] = await eventually(async () => {
    const { targets } = await readFleet(metrics.url);
    assert.equal(targets[0]!.workers!.filter(({ state }) => state === "responding").length, 3);
    assert.equal(targets[0]!.changes!.length, 1);
    return targets;
  });
  assert.deepEqual(target!.changes!.map(({ kind, reason }) => `${kind} ${reason}`), ["gone unknown"]);
  assert.doesNotMatch(metrics.log(), /Workers silent/);
  assert.equal(target!.losses?.workers ?? 0, 0);
});

/** The pause itself is what is tested. */
async function pausedFor(ms: number): Promise<void> {
  const sinceMs = performance.now();
  await eventually(() => assert.ok(performance.now() - sinceMs >= ms));
}
