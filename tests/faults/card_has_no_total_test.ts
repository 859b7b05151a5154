import assert from "node:assert/strict";
import { etcdKeys, putKey } from "../../tools/etcd_gateway.ts";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

/** What a card says of its blocks and slots, whole and without. */
const CARDS: Readonly<Record<string, (value: string) => string>> = {
  "says null": (value) => value.replaceAll(/("total_kv_blocks"|"max_num_seqs"):\d+/g, "$1:null"),
  "does not say": (value) => value.replaceAll(/("total_kv_blocks"|"max_num_seqs"):\d+,/g, ""),
};

for (const [what, without] of Object.entries(CARDS)) {
  Deno.test(`a worker whose card ${what} its totals is shown without total and usage, never with 0`, async () => {
    await using deployment = await ZmqDeployment.start();
    const { url } = deployment.captured.etcd;
    const whole = (await deployment.shows(BLOCKS)).byWorker("llm_requests_total_slots");
    assert.deepEqual(whole, { [FIRST]: 4, [SECOND]: 4 });
    const hex = BigInt(FIRST).toString(16);
    const card = (await etcdKeys(url)).find(({ key }) => key.startsWith("v1/mdc/") && key.endsWith(hex))!;
    const value = without(card.value);
    assert.ok(value !== card.value);
    await putKey(url, { ...card, value });
    await eventually(async () => {
      const page = await deployment.page();
      assert.deepEqual(page.byWorker("llm_kv_blocks_active"), BLOCKS);
      assert.deepEqual(page.byWorker("llm_kv_blocks_total"), { [SECOND]: 512 });
      assert.deepEqual(page.byWorker("llm_requests_active_slots"), { [FIRST]: 4, [SECOND]: 4 });
      assert.deepEqual(page.byWorker("llm_requests_total_slots"), { [SECOND]: 4 });
      const usage = page.byWorker("dynamo_metrics_worker_kv_cache_usage_ratio");
      assert.deepEqual(usage, { [SECOND]: 61 / 512 });
      assert.equal(page.value("dynamo_metrics_worker_info", { worker_id: FIRST, model: "tiny" }), 1);
    });
  });
}
