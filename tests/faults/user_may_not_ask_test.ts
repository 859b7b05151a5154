import assert from "node:assert/strict";
import { Deployment, usersConfig } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

const PERMISSIONS = `publish: { deny: ["$SRV.>"] }`;

Deno.test("a user who may not ask gets no load, and the page, the log and /readyz say that rounds fail", async () => {
  await using deployment = await Deployment.start({ natsConfig: usersConfig(PERMISSIONS) });
  deployment.play(2, { as: "worker" });
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_up"), 0);
    assert.equal(page.value("dynamo_metrics_nats_connected"), 1);
    assert.ok(page.value("dynamo_metrics_rounds_failed_total")! >= 3);
    assert.deepEqual(Object.values(page.states()), ["discovered", "discovered"]);
  });
  const { status, reasons } = await deployment.ready();
  assert.deepEqual([status, reasons.length, reasons[0]], ["degraded", 4, "the last round failed"]);
  for (const reason of reasons.slice(1)) assert.match(reason, /^NATS refuses us: publish \$SRV\.STATS\./);
  assert.equal(deployment.said(/NATS refuses .* operation=publish subject=\$SRV\.STATS/), 3); // One for each name.
});
