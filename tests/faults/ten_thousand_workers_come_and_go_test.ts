import assert from "node:assert/strict";
import { Deployment, statsReply } from "../helpers/deployment.ts";
import { revokeLease } from "../../tools/etcd_gateway.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("ten thousand workers that appear at once are all on the page, and that vanish at once all leave", async () => {
  await using deployment = await Deployment.start({
    natsConfig: "max_payload: 8388608",
    staleAfter: "10", // On a busy machine none of them is to leave meanwhile and come back.
    forgetAfter: "60",
  });
  const raw = deployment.raw();
  const hexes = Array.from({ length: 10_000 }, (_, n) => (n + 1).toString(16));
  let answers = true;
  raw.answer(({ send }) => {
    const workers = hexes.map((hex) => [hex, 40] as const);
    for (let n = 0; answers && n < workers.length; n += 500) {
      send(statsReply(raw.service, workers.slice(n, n + 500)));
    }
  });
  const lease = await deployment.registerUnderLease(hexes);
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 10_000);
    assert.equal(page.value("llm_load_avg"), 40);
    assert.equal(
      page.values("dynamo_metrics_worker_registered", {}).filter((value) => value === 1).length,
      10_000,
    );
  }, { timeoutMs: 30_000 });
  answers = false;
  await revokeLease(deployment.etcd.url, lease);
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.states(), {});
    assert.equal(page.value("dynamo_metrics_workers_gone_total", { reason: "deregistered" }), 10_000);
  }, { timeoutMs: 30_000 });
  await eventually(() =>
    assert.ok(deployment.said(/ Workers gone from .* workers=\d{4,5} ids=1,2,3,4,5,…( lost=\d+)?$/) > 0)
  );
  assert.ok(deployment.said(/ Workers gone from /) < 5);
});
