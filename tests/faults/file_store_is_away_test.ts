import assert from "node:assert/strict";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

Deno.test("while the file store's folder is away the last known workers and channels stand, and its return is followed", async () => {
  const folder = await Deno.makeTempDir();
  await using deployment = await ZmqDeployment.start({ fileStore: folder });
  await deployment.shows(BLOCKS);
  await Deno.rename(folder, `${folder}.away`);
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_file_store_readable"), 0);
    assert.equal(page.value("dynamo_metrics_up"), 0);
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), BLOCKS);
    assert.deepEqual(page.byWorker("llm_kv_blocks_total"), { [FIRST]: 512, [SECOND]: 512 });
  });
  const reasons = ["the file store cannot be read"];
  assert.deepEqual(await deployment.ready(), { status: "degraded", reasons });
  await Deno.remove(ZmqDeployment.keyFile(`${folder}.away`, "instances", FIRST));
  await Deno.rename(`${folder}.away`, folder);
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_file_store_readable"), 1);
    assert.equal(page.value("dynamo_metrics_up"), 1);
    assert.deepEqual(page.states(), { [SECOND]: "responding" });
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { [SECOND]: 61 });
  });
  assert.deepEqual(await deployment.ready(), { status: "ok", reasons: [] });
  await Deno.remove(folder, { recursive: true });
});
