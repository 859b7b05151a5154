import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a worker that answers after each round's end has its numbers on the page", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  const slow = deployment.raw();
  const held: (() => void)[] = [];
  // Each question is answered when the next one is asked: its round has ended by then.
  slow.answer(({ reply }) => {
    held.shift()?.();
    const blocks = 40;
    held.push(() => reply("a1", blocks));
  });
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.states(), { 161: "responding" });
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { 161: 40 });
    assert.equal(page.value("dynamo_metrics_replies_rejected_total", { reason: "late" }), 0);
  });
});
