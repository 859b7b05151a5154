import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

for (const order of [["nats", "etcd"], ["etcd", "nats"]] as const) {
  Deno.test(`metrics that is there first works once ${order.join(", then ")} and workers come`, async () => {
    await using deployment = await Deployment.start({ serversComeLater: true });
    await eventually(async () => {
      const page = await deployment.page();
      assert.equal(page.value("dynamo_metrics_up"), 0);
      assert.equal(page.value("dynamo_metrics_etcd_connected"), 0);
      assert.ok(page.value("dynamo_metrics_rounds_failed_total")! >= 3);
    });
    await eventually(async () =>
      assert.deepEqual(await deployment.ready(), {
        code: 200,
        status: "degraded",
        reasons: ["NATS is not connected", "etcd is not connected"],
      })
    );
    // Whether NATS is needed is known once etcd was tried.
    await eventually(() => assert.equal(deployment.said(/Cannot reach NATS/), 1));
    await eventually(() => assert.equal(deployment.said(/Cannot reach etcd/), 1));
    await deployment[order[0]].start();
    await eventually(() => assert.equal(deployment.said(/Connected to/), 1));
    await deployment[order[1]].start();
    const workers = deployment.play(2);
    await deployment.shown(workers, { count: 2 });
    await eventually(async () => {
      const page = await deployment.page();
      assert.deepEqual(page.values("dynamo_metrics_worker_registered"), [1, 1]);
    });
    assert.equal(deployment.said(/Cannot reach NATS/), 1);
    assert.equal(deployment.said(/Cannot reach etcd/), 1);
  });
}
