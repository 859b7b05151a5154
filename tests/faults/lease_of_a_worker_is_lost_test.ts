import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { revokeLease } from "../../tools/etcd_gateway.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a worker whose lease is lost comes back under its new id, and the old one leaves", async () => {
  await using deployment = await Deployment.start();
  const workers = deployment.play(1);
  const [old] = await deployment.shown(workers, { count: 1 });
  await revokeLease(deployment.etcd.url, old!);
  await eventually(async () => {
    const [id] = workers.ids;
    assert.ok(id !== undefined && id !== old);
    assert.deepEqual((await deployment.page()).states(), { [id]: "responding" });
  });
});
