import assert from "node:assert/strict";
import { startNats } from "../../tools/servers/nats.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a new NATS server at the old address is taken as the old one", async () => {
  await using deployment = await Deployment.start();
  deployment.play(2);
  await eventually(async () => assert.equal((await deployment.page()).loaded().length, 2));
  const { port } = deployment.nats;
  await deployment.nats[Symbol.asyncDispose]();
  await eventually(async () => assert.equal((await deployment.page()).value("dynamo_metrics_up"), 0));
  await using _other = await startNats({ port });
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 2);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
});
