import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("an aggregate larger than NATS takes is left out, and the page has all workers", async () => {
  await using deployment = await Deployment.start({ natsConfig: "max_payload: 1024\nmax_pending: 1048576" });
  deployment.play(8);
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 8);
    assert.ok(page.value("dynamo_metrics_publishes_skipped_total", { reason: "max_payload" })! >= 2);
  });
  assert.equal(deployment.said(/The aggregate is larger than NATS takes/), 1);
  assert.equal((await deployment.ready()).status, "ok");
});
