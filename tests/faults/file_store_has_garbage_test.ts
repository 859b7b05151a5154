import assert from "node:assert/strict";
import { BLOCKS, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

/** Files that are there for other reasons, or were not written whole. */
const STRAY: Readonly<Record<string, string | Uint8Array>> = {
  "lock": "",
  "v1/README": "not a key",
  "v1/mdc/%zz": "no key",
  "v1/mdc/dynamo%2Fbackend%2Fgenerate%2Fa1": "{",
  "v1/instances/dynamo%2Fbackend%2Fgenerate%2Fnot-hex": "{}",
  "v1/event_channels/namespace%2Fdynamo%2Fcomponent%2Fbackend%2Fendpoint%2Fgenerate%2Ftopic%2Fkv_metrics%2Fa1":
    "{}",
  "v1/event_channels/dynamo%2F%2Fkv_metrics%2Fa2": Uint8Array.of(0xff, 0xfe, 0x00),
};

Deno.test("files of a file store that are no keys, or hold garbage, are passed over", async () => {
  const folder = await Deno.makeTempDir();
  await using deployment = await ZmqDeployment.start({ fileStore: folder });
  await deployment.shows(BLOCKS);
  for (const [path, content] of Object.entries(STRAY)) {
    await Deno.writeFile(
      `${folder}/${path}`,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
  }
  await Deno.mkdir(`${folder}/v1/mdc/dynamo%2Fbackend%2Fgenerate%2Fa3`);
  const card = ZmqDeployment.keyFile(folder, "mdc", FIRST);
  const whole = await Deno.readTextFile(card);
  await Deno.writeTextFile(card, whole.slice(0, 100));
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("llm_kv_blocks_total"), { [SECOND]: 512 });
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), BLOCKS);
    assert.deepEqual(page.states(), { [FIRST]: "responding", [SECOND]: "responding" });
    assert.equal(page.value("dynamo_metrics_file_store_readable"), 1);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
  await Deno.writeTextFile(card, whole);
  await eventually(async () => {
    const totals = (await deployment.page()).byWorker("llm_kv_blocks_total");
    assert.deepEqual(totals, { [FIRST]: 512, [SECOND]: 512 });
  });
  assert.doesNotMatch(deployment.metrics.log(), /WARN|ERROR/);
  await Deno.remove(folder, { recursive: true });
});
