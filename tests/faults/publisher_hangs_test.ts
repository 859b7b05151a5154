import assert from "node:assert/strict";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

// Nothing is old here within a minute: that it hangs is known by PINGs alone.
Deno.test("what a publisher said that hangs leaves when PINGs are unanswered, and is there again when it goes on", async () => {
  await using deployment = await ZmqDeployment.start();
  await deployment.shows(BLOCKS);
  const { pid } = deployment.captured.publisher(FIRST);
  Deno.kill(pid, "SIGSTOP");
  const page = await deployment.shows({ [SECOND]: 61 });
  assert.deepEqual(page.states(), { [FIRST]: "discovered", [SECOND]: "responding" });
  Deno.kill(pid, "SIGCONT");
  await deployment.shows(BLOCKS);
});
