import assert from "node:assert/strict";
import { serviceName } from "../../lib/dynamo/service_name.ts";
import { workerIdFromInteger } from "../../lib/dynamo/worker_id.ts";
import { serviceSubject } from "../../lib/micro/subjects.ts";
import { NatsLink } from "../../lib/transport/nats.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { USER } from "../../tools/nats_users.ts";
import { target } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { deploymentOf, Instances } from "../helpers/instances.ts";

Deno.test("a key that comes while a round runs is shown after it, not a poll later", async () => {
  await using nats = await startNats();
  const stop = new AbortController();
  await using link = new NatsLink({ servers: [nats.url], name: "test", auth: USER, signal: stop.signal });
  await eventually(() => assert.ok(link.connected));
  const store = new Instances(target);
  using deployment = deploymentOf({
    targets: [target],
    nats: link,
    store,
    pollIntervalMs: 3_600_000,
    channels: new Set(["stats"] as const),
  });
  const service = serviceName("C", target.namespace, target.component);
  // The question comes here as well, and is not answered: the round waits a moment.
  using _ = link.subscribe(serviceSubject("STATS", service), () => store.set([workerIdFromInteger(1)!]));
  const running = deployment.run(stop.signal);
  await eventually(() => assert.equal(deployment.snapshot.targets[0]!.workers.length, 1));
  stop.abort();
  await running;
});
