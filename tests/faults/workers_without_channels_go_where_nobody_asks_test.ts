import assert from "node:assert/strict";
import { instanceKey } from "../../lib/dynamo/instance_key.ts";
import { workerIdFromInteger } from "../../lib/dynamo/worker_id.ts";
import { deleteKey, putKeys } from "../../tools/etcd_gateway.ts";
import { PageReader } from "../../tools/page_reader.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { eventually } from "../helpers/eventually.ts";
import { startMetrics } from "../helpers/metrics_process.ts";

for (const without of [["--no-nats"], ["--nats-server", "nats://127.0.0.1:1"]]) {
  Deno.test(`workers that never said a word leave with their keys, with ${without[0]} and nobody to ask them`, async () => {
    await using etcd = await startEtcd();
    await using metrics = await startMetrics({
      args: ["--component", "backend", "--endpoint", "generate", "--poll-interval", "0.2", ...without],
      env: { ETCD_ENDPOINTS: etcd.url },
    });
    const target = { namespace: "dynamo", component: "backend", endpoint: "generate" };
    const keys = [1n, 2n, 3n].map((id) => instanceKey("v1", target, workerIdFromInteger(id)!));
    await putKeys(etcd.url, keys);
    const states = async () => Object.values(new PageReader(await metrics.page()).states());
    await eventually(async () => assert.deepEqual(await states(), Array(3).fill("discovered")));
    for (const key of keys) await deleteKey(etcd.url, key);
    await eventually(async () => assert.deepEqual(await states(), []));
  });
}
