import assert from "node:assert/strict";
import { deleteKey, etcdKeys, putKey } from "../../tools/etcd_gateway.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { BLOCKS, FIRST, SECOND, startReplays } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

const TOPIC = "kv_metrics";

Deno.test("a publisher on another port is followed, by a new key or a changed one, and the old port is left alone", async () => {
  await using deployment = await ZmqDeployment.start({ behindProxies: FIRST });
  await deployment.shows(BLOCKS);
  const { captured, networks } = deployment;
  const { events } = captured.channel(FIRST, TOPIC);
  const [port = 0, third = 0] = freePorts(2);
  await using _ = await startReplays([
    { port, frames: events[0]! },
    { port: third, frames: events[1]! },
  ]);
  const known = (await etcdKeys(captured.etcd.url)).find(({ key, lease }) =>
    key.includes(`/topic/${TOPIC}/`) && lease === FIRST
  )!;
  const old = networks.find(({ port }) => known.value.includes(`:${port}"`))!;
  assert.equal(old.open, 1);
  const publisher = "1a2b3c4d5e6f7";
  const moved = {
    key: known.key.replace(/[^/]+$/, publisher),
    value: known.value.replace(`:${old.port}"`, `:${port}"`)
      .replace(/"instance_id":\d+/, `"instance_id":${BigInt(`0x${publisher}`)}`),
    lease: known.lease,
  };
  await deleteKey(captured.etcd.url, known.key);
  await putKey(captured.etcd.url, moved);
  await deployment.shows({ [FIRST]: 38, [SECOND]: 61 });
  await eventually(() => assert.equal(old.open, 0)); // It speaks on.
  await putKey(captured.etcd.url, { ...moved, value: moved.value.replace(`:${port}"`, `:${third}"`) });
  await deployment.shows({ [FIRST]: 61, [SECOND]: 61 });
});
