import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

const WRONG = ["-1", "1.5", "2.0", '"40"', "NaN", "null", "[]", "18446744073709551616"];

Deno.test("a worker that sends a field of the wrong kind is undecodable, without load, beside a good one", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  const raw = deployment.raw();
  let kind = 0;
  raw.answer(({ reply, send }) => {
    const data = `{"request_active_slots":1,"request_total_slots":8,"kv_active_blocks":${WRONG[kind]},` +
      `"kv_total_blocks":100}`;
    send(`{"endpoints":[{"subject":"${raw.service}.my_endpoint-a1","data":${data}}]}`);
    reply("a2", 40);
  });
  for (kind = 0; kind < WRONG.length; kind++) {
    const rejected = (await deployment.page()).value("dynamo_metrics_workers_rejected_total", {
      reason: "load",
    })!;
    const broken = (await deployment.page()).value("dynamo_metrics_replies_rejected_total", {
      reason: "not_json",
    })!;
    await eventually(async () => {
      const page = await deployment.page();
      assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { 162: 40 });
      const isJson = WRONG[kind] !== "NaN";
      if (isJson) assert.equal(page.states()["161"], "undecodable");
      const reason = isJson ? "load" : "not_json";
      const name = isJson ? "dynamo_metrics_workers_rejected_total" : "dynamo_metrics_replies_rejected_total";
      assert.ok(page.value(name, { reason })! > (isJson ? rejected : broken), `${WRONG[kind]}`);
    });
  }
});
