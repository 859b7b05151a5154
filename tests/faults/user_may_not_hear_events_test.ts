import assert from "node:assert/strict";
import { Deployment, usersConfig } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { NatsObserver } from "../helpers/nats_observer.ts";

const PERMISSIONS = `subscribe: { deny: ["namespace.>"] }`;

Deno.test("a user who may not hear events gets the load all the same, and the log says it once", async () => {
  await using deployment = await Deployment.start({ natsConfig: usersConfig(PERMISSIONS) });
  deployment.play(2, { as: "worker" });
  await using observer = await NatsObserver.connect(deployment.nats.url, { user: "worker", pass: "worker" });
  const events = await observer.listen("namespace.dynamo.kv-hit-rate");
  await eventually(() => assert.ok(events.length >= 4));
  await eventually(async () => assert.equal((await deployment.page()).loaded().length, 2));
  assert.equal((await deployment.page()).value("dynamo_metrics_events_total", { event: "kv-hit-rate" }), 0);
  const { reasons } = await deployment.ready();
  assert.equal(reasons.length, 5);
  for (const reason of reasons) assert.match(reason, /^NATS refuses us: subscription namespace\.dynamo\./);
  assert.equal(
    deployment.said(/NATS refuses .* operation=subscription subject=namespace\.dynamo\.kv-hit-rate/),
    1,
  );
});
