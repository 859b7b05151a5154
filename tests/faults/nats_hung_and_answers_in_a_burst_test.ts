import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("answers to old questions that a NATS sends in one burst are counted late and change nothing", async () => {
  await using deployment = await Deployment.start();
  const link = deployment.raw();
  const held: (() => void)[] = [];
  link.answer(({ reply }) => {
    const blocks = held.length + 1; // Tells the answers apart.
    held.push(() => reply("a1", blocks));
    if (blocks <= 2) held.at(-1)!();
  });
  await eventually(async () => assert.deepEqual((await deployment.page()).states(), { 161: "responding" }));
  await eventually(() => assert.ok(held.length >= 6));
  const newest = held.length;
  for (const send of held.toReversed()) send(); // The newest first: the rest are answers to older questions.
  await eventually(async () => {
    const page = await deployment.page();
    assert.ok(page.value("dynamo_metrics_replies_rejected_total", { reason: "late" })! >= 3);
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { 161: newest });
  });
});
