import assert from "node:assert/strict";
import { Deployment, statsReply } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a reply with a thousand endpoints is taken whole, and what it counts leaves with its worker", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true, forgetAfter: "60" });
  const raw = deployment.raw();
  let answers = true;
  raw.answer(({ send }) => {
    const endpoints = Array.from({ length: 999 }, (_, n) => ({
      subject: `${raw.service}.e${n}-a1`,
      num_requests: n,
    }));
    const [load] = JSON.parse(statsReply(raw.service, [["a1", 40]])).endpoints;
    if (answers) send(JSON.stringify({ endpoints: [...endpoints, load] }));
  });
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { 161: 40 });
    assert.equal(page.values("dynamo_metrics_endpoint_requests_total").length, 999);
  });
  answers = false;
  await eventually(async () => {
    assert.deepEqual((await deployment.page()).values("dynamo_metrics_endpoint_requests_total"), []);
  });
});
