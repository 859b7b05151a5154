import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

const BROKEN = [
  "",
  "hello",
  "{",
  '{"endpoints":',
  "[]",
  "null",
  "7",
  '"x"',
  '{"endpoints":7}',
  "\u0000",
  "[".repeat(100_000),
];

Deno.test("broken replies are counted by reason and take nothing from their neighbour", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.raw().answer(({ reply, send }) => {
    for (const text of BROKEN) send(text);
    send(new Uint8Array([0xff, 0xfe, 0xfd]));
    reply("a1", 40);
  });
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { 161: 40 });
    assert.ok(page.value("dynamo_metrics_replies_rejected_total", { reason: "not_json" })! >= 6);
    assert.ok(page.value("dynamo_metrics_replies_rejected_total", { reason: "envelope" })! >= 4);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
});
