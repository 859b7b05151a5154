import { eventChannelRecord } from "../../lib/dynamo/event_channel.ts";
import { FORWARD_PASS_EVENT } from "../../lib/dynamo/forward_pass.ts";
import { instanceKey } from "../../lib/dynamo/instance_key.ts";
import { instanceValue, tcpPath } from "../../lib/dynamo/instance_value.ts";
import { modelCardRecord } from "../../lib/dynamo/model_card_text.ts";
import type { Registered } from "../../lib/dynamo/registered.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { putLeasedKeys } from "../../tools/etcd_gateway.ts";
import { publishingWorker } from "./publishers.ts";
import { TARGET } from "./replies.ts";

/** Of release 1.6.1. */
const FORM = { kind: "compact", with: ["device_type", "request_plane_codec"] } as const;
const CARD = { withStartRank: true, withWorkerType: true };
/** So many questions to etcd at once. */
const AT_ONCE = 16;

/** Registers workers without anything beside, each under its lease. */
export async function registerWorkers(etcd: string, workers: readonly WorkerId[]): Promise<void> {
  await put(etcd, workers.map((worker) => ({ worker, records: [instance(worker)] })));
}

/**
 * Registers a publisher's worker for each port as release 1.6.1 does: instance, the channel on ZMQ, and a card without the
 * address of a page, which a worker without a system port does not have.
 */
export async function registerPublishers(etcd: string, ports: readonly number[]): Promise<void> {
  const registered = ports.map((port, n) => {
    const { worker, publisher } = publishingWorker(n);
    return { worker, records: [instance(worker), cardOf(worker), channel(publisher, port)] };
  });
  await put(etcd, registered);
}

function instance(worker: WorkerId): Registered {
  const transport = { tcp: `127.0.0.1:1/${tcpPath("target", TARGET, worker)}` };
  return {
    key: instanceKey("v1", TARGET, worker),
    value: instanceValue(TARGET, { form: FORM, id: worker, transport }),
  };
}

function cardOf(worker: WorkerId): Registered {
  const said = { ranks: 1, startRank: 0, totalBlocks: 10_000, maxSeqs: 256, blockSize: 16 };
  return modelCardRecord(TARGET, { worker, model: "tiny", workerType: "aggregated", ...said }, CARD);
}

function channel(publisher: WorkerId, port: number): Registered {
  const transport = { kind: "zmq", host: "127.0.0.1", port } as const;
  return eventChannelRecord({ ...TARGET, topic: FORWARD_PASS_EVENT, publisher, transport });
}

/** The keys of each worker under its lease, of many workers at once. */
async function put(
  etcd: string,
  workers: readonly { readonly worker: WorkerId; readonly records: readonly Registered[] }[],
): Promise<void> {
  const waiting = workers.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const { worker, records } of waiting) {
      await putLeasedKeys(etcd, records.map((record) => ({ ...record, lease: worker })));
    }
  }));
}
