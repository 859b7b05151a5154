import assert from "node:assert/strict";
import { etcdKeys, putKey } from "../../tools/etcd_gateway.ts";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

const GARBAGE = ["", "{", "[]", "null", '{"card_json":7}', "\u0000\u00ff"];

Deno.test("a card that is none says nothing, and takes neither its worker's events nor its neighbour's card", async () => {
  await using deployment = await ZmqDeployment.start();
  const { url } = deployment.captured.etcd;
  await deployment.shows(BLOCKS);
  const hex = BigInt(FIRST).toString(16);
  const card = (await etcdKeys(url)).find(({ key }) => key.startsWith("v1/mdc/") && key.endsWith(hex))!;
  for (const value of GARBAGE) {
    await putKey(url, { ...card, value });
    await eventually(async () => {
      const page = await deployment.page();
      assert.deepEqual(page.byWorker("llm_kv_blocks_active"), BLOCKS);
      assert.deepEqual(page.byWorker("llm_kv_blocks_total"), { [SECOND]: 512 });
      assert.deepEqual(page.values("dynamo_metrics_worker_channel", { channel: "card" }), [1]);
      assert.deepEqual(page.states(), { [FIRST]: "responding", [SECOND]: "responding" });
    });
    await putKey(url, card);
    await eventually(async () => {
      const totals = (await deployment.page()).byWorker("llm_kv_blocks_total");
      assert.deepEqual(totals, { [FIRST]: 512, [SECOND]: 512 });
    });
  }
});
