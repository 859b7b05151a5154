import assert from "node:assert/strict";
import { Deployment, statsReply } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a process that claims another's id is counted, and no third worker is touched", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  const [first, second] = [deployment.raw(), deployment.raw()];
  first.answer(({ reply }) => reply("a1", 10));
  second.answer(({ send }) => send(statsReply(second.service, [["a1", 90], ["a2", 40]])));
  await eventually(async () => {
    const page = await deployment.page();
    const blocks = page.byWorker("llm_kv_blocks_active");
    assert.deepEqual(Object.keys(blocks), ["161", "162"]);
    assert.equal(blocks["162"], 40);
    assert.ok([10, 90].includes(blocks["161"]!));
    assert.ok(page.value("dynamo_metrics_replies_rejected_total", { reason: "duplicate_id" })! > 0);
  });
});
