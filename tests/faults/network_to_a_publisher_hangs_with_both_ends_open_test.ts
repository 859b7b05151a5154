import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

Deno.test("when the network to a publisher is half-open its numbers leave, and are there again after it", async () => {
  await using deployment = await ZmqDeployment.start({ behindProxies: FIRST });
  await deployment.shows(BLOCKS);
  for (const network of deployment.networks) network.hang();
  await deployment.shows({ [SECOND]: 61 });
  for (const network of deployment.networks) network.restore();
  await deployment.shows(BLOCKS);
});
