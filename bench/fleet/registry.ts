import { FORWARD_PASS_EVENT } from "../../lib/dynamo/forward_pass.ts";
import { instanceKey } from "../../lib/dynamo/instance_key.ts";
import { modelCardPrefix } from "../../lib/dynamo/model_card.ts";
import { type WorkerId, workerIdToHex } from "../../lib/dynamo/worker_id.ts";
import { putLeasedKeys, type StoredKey } from "../../tools/etcd_gateway.ts";
import { publishingWorker } from "./publishers.ts";
import { TARGET } from "./replies.ts";

/** So many questions to etcd at once. */
const AT_ONCE = 16;

/** Registers workers without anything beside, each under its lease. */
export async function registerWorkers(etcd: string, workers: readonly WorkerId[]): Promise<void> {
  await put(etcd, workers.map((worker) => [instance(worker)]));
}

/** Registers a publisher's worker for each port as release 1.6.1 does: instance, card and the channel on ZMQ. */
export async function registerPublishers(etcd: string, ports: readonly number[]): Promise<void> {
  await put(
    etcd,
    ports.map((port, n) => {
      const { worker, publisher } = publishingWorker(n);
      return [instance(worker), card(worker), channel({ worker, publisher, port })];
    }),
  );
}

function instance(worker: WorkerId): StoredKey {
  const hex = workerIdToHex(worker);
  const { namespace, component, endpoint } = TARGET;
  const tcp = `127.0.0.1:1/${hex}/${namespace}/${component}/${endpoint}`;
  return {
    key: instanceKey("v1", TARGET, worker),
    value:
      `{"type":"Endpoint","component":"${component}","endpoint":"${endpoint}","namespace":"${namespace}",` +
      `"instance_id":${worker},"transport":{"tcp":"${tcp}"},"device_type":"cuda","request_plane_codec":"msgpack"}`,
    lease: worker,
  };
}

/** Without the address of a page of its own, which a worker without a system port does not have. */
function card(worker: WorkerId): StoredKey {
  const { namespace, component, endpoint } = TARGET;
  const json = JSON.stringify({
    display_name: "tiny",
    slug: "tiny",
    source_path: "/models/tiny",
    context_length: 4_096,
    kv_cache_block_size: 16,
    model_type: "Chat | Completions",
    worker_type: "aggregated",
    runtime_config: { total_kv_blocks: 10_000, max_num_seqs: 256, data_parallel_size: 1 },
  });
  return {
    key: modelCardPrefix(TARGET) + workerIdToHex(worker),
    value: `{"type":"Model","namespace":"${namespace}","component":"${component}","endpoint":"${endpoint}",` +
      `"instance_id":${worker},"card_json":${json}}`,
    lease: worker,
  };
}

function channel(
  { worker, publisher, port }: { worker: WorkerId; publisher: bigint; port: number },
): StoredKey {
  const { namespace, component, endpoint } = TARGET;
  const place = `namespace/${namespace}/component/${component}/endpoint/${endpoint}`;
  return {
    key: `v1/event_channels/${place}/topic/${FORWARD_PASS_EVENT}/${publisher.toString(16)}`,
    value: `{"type":"EventChannel","scope":{"kind":"endpoint","endpoint":{"namespace":"${namespace}",` +
      `"component":"${component}","name":"${endpoint}"}},"topic":"${FORWARD_PASS_EVENT}",` +
      `"instance_id":${publisher},"transport":{"kind":"Zmq","config":{"endpoint":"tcp://127.0.0.1:${port}"}}}`,
    lease: worker,
  };
}

/** The keys of each worker in turn, of many workers at once. */
async function put(etcd: string, workers: readonly (readonly StoredKey[])[]): Promise<void> {
  const waiting = workers.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const keys of waiting) await putLeasedKeys(etcd, keys);
  }));
}
