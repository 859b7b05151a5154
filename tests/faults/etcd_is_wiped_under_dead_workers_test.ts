import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("an etcd that loses its data under workers that do not answer loses the workers", async () => {
  await using deployment = await Deployment.start();
  await deployment.register("a1", "a2");
  await eventually(async () => {
    assert.deepEqual((await deployment.page()).states(), { 161: "discovered", 162: "discovered" });
  });
  await deployment.etcd.wipe();
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.states(), {});
    assert.equal(page.value("dynamo_metrics_workers_gone_total", { reason: "deregistered" }), 2);
  });
});
