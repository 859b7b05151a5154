import assert from "node:assert/strict";
import { Deployment, usersConfig } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

const PERMISSIONS = `subscribe: { deny: ["_INBOX.>"] }`;

Deno.test("a user who may not hear answers gets no load, and rounds fail", async () => {
  await using deployment = await Deployment.start({ natsConfig: usersConfig(PERMISSIONS) });
  deployment.play(2, { as: "worker" });
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_up"), 0);
    assert.ok(page.value("dynamo_metrics_rounds_failed_total")! >= 3);
    assert.equal(page.value("dynamo_metrics_nats_connected"), 1);
    assert.deepEqual(page.loaded(), []);
  });
  assert.deepEqual((await deployment.ready()).reasons, [
    "the last round failed",
    "NATS refuses us: subscription _INBOX.",
  ]);
  assert.equal(deployment.said(/NATS refuses .* operation=subscription subject=_INBOX/), 1);
});
