import assert from "node:assert/strict";
import { Deployment, usersConfig } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

const PERMISSIONS = `publish: { deny: ["namespace.>"] }`;

Deno.test("a user who may not publish gets the load, and the aggregate is counted as skipped", async () => {
  await using deployment = await Deployment.start({ natsConfig: usersConfig(PERMISSIONS) });
  deployment.play(2, { as: "worker" });
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 2);
    assert.equal(page.value("dynamo_metrics_up"), 1);
    const refused = page.value("dynamo_metrics_publishes_skipped_total", { reason: "permission" })!;
    assert.ok(refused >= 2);
    assert.ok(page.value("dynamo_metrics_publishes_total")! >= refused); // Sent, then refused.
  });
  assert.deepEqual((await deployment.ready()).reasons, [
    "NATS refuses us: publish namespace.dynamo.l2c.my_component.my_endpoint",
  ]);
  assert.equal(
    deployment.said(/NATS refuses us a subject operation=publish subject=namespace\.dynamo\.l2c/),
    1,
  );
});
