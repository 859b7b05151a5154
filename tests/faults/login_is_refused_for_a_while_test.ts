import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a password that NATS does not take for a while is tried for ever, and works when it is taken again", async () => {
  const users = (password: string) =>
    `authorization { users = [ { user: user, password: ${password} }, { user: worker, password: worker } ] }`;
  await using deployment = await Deployment.start({ natsConfig: users("user") });
  deployment.play(2, { as: "worker" });
  await eventually(async () => assert.equal((await deployment.page()).loaded().length, 2));
  deployment.nats.setConfig(users("other"));
  await deployment.nats.stop();
  await deployment.nats.start();
  await eventually(() => assert.equal(deployment.said(/Cannot reach NATS.*Authorization Violation/), 1));
  await eventually(async () => {
    const { total_connections } = await (await fetch(`${deployment.nats.monitorUrl}/varz`)).json();
    assert.ok(total_connections >= 5);
  });
  assert.equal((await deployment.page()).value("dynamo_metrics_up"), 0);
  deployment.nats.setConfig(users("user"));
  await deployment.nats.reload();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 2);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
});
