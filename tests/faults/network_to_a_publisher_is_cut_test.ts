import assert from "node:assert/strict";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

Deno.test("when the network to a publisher is cut its numbers leave at once, and are there again after it", async () => {
  await using deployment = await ZmqDeployment.start({ behindProxies: FIRST });
  await deployment.shows(BLOCKS);
  for (const network of deployment.networks) network.cut();
  await deployment.shows({ [SECOND]: 61 });
  for (const network of deployment.networks) network.restore();
  await deployment.shows(BLOCKS);
  await eventually(async () => {
    const slots = (await deployment.page()).byWorker("llm_requests_active_slots");
    assert.deepEqual(slots, { [FIRST]: 4, [SECOND]: 4 });
  });
});
