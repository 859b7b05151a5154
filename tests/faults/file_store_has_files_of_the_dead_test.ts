import assert from "node:assert/strict";
import { FILE_EXPIRES_AFTER_MS } from "../../lib/dynamo/file_name.ts";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

const HOUR_MS = 3_600_000;

Deno.test("a worker whose files are no longer touched is no worker, whatever clock touched them", async () => {
  const folder = await Deno.makeTempDir();
  const files = ["instances", "mdc"].map((bucket) =>
    ZmqDeployment.keyFile(folder, bucket as "instances" | "mdc", FIRST)
  );
  const longAgo = new Date(Date.now() - HOUR_MS);
  let firstTouchedAt: () => Date | undefined = () => longAgo;
  await using deployment = await ZmqDeployment.start({
    fileStore: folder,
    touchedAt: (path) => files.includes(path) ? firstTouchedAt() : new Date(),
  });
  const showsSecondAlone = async () => {
    const page = await deployment.page();
    assert.deepEqual(page.states(), { [SECOND]: "responding" });
    assert.deepEqual(page.byWorker("llm_kv_blocks_total"), { [SECOND]: 512 });
    assert.equal(page.value("dynamo_metrics_file_store_readable"), 1);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  };
  await eventually(showsSecondAlone);
  // It lives, and its clock is an hour behind.
  firstTouchedAt = () => new Date(Date.now() - HOUR_MS);
  await deployment.shows(BLOCKS);
  const diedAtMs = performance.now();
  firstTouchedAt = () => undefined;
  await eventually(showsSecondAlone, { timeoutMs: 2 * FILE_EXPIRES_AFTER_MS });
  assert.ok(performance.now() - diedAtMs > FILE_EXPIRES_AFTER_MS - 2_000);
  assert.deepEqual(await deployment.ready(), { status: "ok", reasons: [] });
  assert.doesNotMatch(deployment.metrics.log(), /WARN|ERROR/);
  await Deno.remove(folder, { recursive: true });
});
