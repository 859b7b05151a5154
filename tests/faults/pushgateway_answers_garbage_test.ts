import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

// No Pushgateway can be made to answer so: a server of Deno's stands in for it.

Deno.test("a Pushgateway that answers garbage, or hangs up, is said once, counted, and the page goes on", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode("\u0000\u0001 garbage\r\n\r\n")).catch(() => {});
      connection.close();
    }
  })();
  await using deployment = await Deployment.start({
    withoutEtcd: true,
    args: ["--push-url", `http://127.0.0.1:${listener.addr.port}`, "--push-interval", "0.1"],
  });
  deployment.play(1);
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 1);
    assert.ok(page.value("dynamo_metrics_pushes_failed_total")! >= 3);
  });
  assert.equal(deployment.said(/Failed to push metrics to PushGateway/), 1);
});
