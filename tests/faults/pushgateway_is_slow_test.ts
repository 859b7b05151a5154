import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

// No Pushgateway can be made to answer so: a server of Deno's stands in for it.

Deno.test("a Pushgateway that does not answer holds up neither the page nor the end", async () => {
  const asked = Promise.withResolvers<void>();
  const never = Promise.withResolvers<Response>();
  await using gateway = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    asked.resolve();
    return never.promise;
  });
  await using deployment = await Deployment.start({
    withoutEtcd: true,
    args: ["--push-url", `http://127.0.0.1:${gateway.addr.port}`, "--push-interval", "0.1"],
  });
  deployment.play(1);
  await asked.promise;
  await eventually(async () => assert.equal((await deployment.page()).loaded().length, 1));
  const rounds = (await deployment.page()).value("dynamo_metrics_rounds_total")!;
  await eventually(async () => {
    assert.ok((await deployment.page()).value("dynamo_metrics_rounds_total")! > rounds + 2);
  });
  const ended = deployment.metrics.stop();
  await eventually(async () => {
    const { code, reasons } = await deployment.ready();
    assert.deepEqual([code, reasons], [503, ["stopping"]]);
  });
  assert.equal(await ended, 0);
  assert.equal(deployment.said(/Cannot delete the pushed group/), 1);
  never.resolve(new Response());
});
