import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

// No Pushgateway can be made to answer so: a server of Deno's stands in for it.

Deno.test("a Pushgateway that redirects is not followed, said once, and pushed to again", async () => {
  let isWell = false;
  const handle = () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } });
  await using gateway = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      await request.body?.cancel();
      return isWell ? new Response() : handle();
    },
  );
  await using deployment = await Deployment.start({
    withoutEtcd: true,
    args: ["--push-url", `http://127.0.0.1:${gateway.addr.port}`, "--push-interval", "0.1", "--push-keep"],
  });
  deployment.play(1);
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 1);
    assert.ok(page.value("dynamo_metrics_pushes_failed_total")! >= 3);
    assert.equal(page.value("dynamo_metrics_last_push_timestamp_seconds"), undefined);
  });
  assert.equal(deployment.said(/Failed to push metrics to PushGateway .*302 Found/), 1);
  isWell = true;
  await eventually(async () => {
    assert.ok((await deployment.page()).value("dynamo_metrics_last_push_timestamp_seconds")! > 0);
  });
  assert.equal(deployment.said(/Pushing metrics to PushGateway again/), 1);
});
