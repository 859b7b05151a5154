import assert from "node:assert/strict";
import { parseEventChannel } from "../../lib/dynamo/event_channel.ts";
import { ChannelListener } from "../../lib/events/channel_listener.ts";
import { systemClock } from "../../lib/timing.ts";
import { encodeMessage } from "../../lib/transport/zmtp.ts";
import { capturedKeys, type Frames, zmqEvents } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { type PeerConnection, welcome, ZmtpPeer } from "../helpers/zmtp_peer.ts";

const FOLDER = "1.6.1-default";
const TOPIC = "kv_metrics";
/** A worker's event with its blocks in use. */
const EVENT = [...zmqEvents(FOLDER).values()].flat().find(([topic]) => topic === hexOf(TOPIC))!;

function hexOf(text: string): string {
  return new TextEncoder().encode(text).toHex();
}

function encode(frames: Frames): Uint8Array {
  return encodeMessage(frames.map((frame) => Uint8Array.fromHex(frame)));
}

const [CHANNEL] = capturedKeys(FOLDER).filter(({ key }) => key.includes(`/topic/${TOPIC}/`))
  .map(({ key, value }) => parseEventChannel({ key, value, lease: undefined })!);

const TARGET = { namespace: "dynamo", component: "backend", endpoint: "generate" };

/** Hears one publisher; `count` grows with the first message after a taking, and with each loss. */
function listen(peer: ZmtpPeer) {
  const told = { count: 0 };
  const listener = new ChannelListener({
    nats: undefined,
    withZmq: true,
    clock: systemClock,
  });
  listener.onInput = () => void told.count++;
  listener.follow(TARGET, [{ ...CHANNEL!, transport: { kind: "zmq", host: "127.0.0.1", port: peer.port } }]);
  return { listener, told, [Symbol.dispose]: () => listener[Symbol.dispose]() };
}

async function say(connection: PeerConnection, times: number, frames: Frames): Promise<void> {
  await welcome(connection);
  for (let n = 0; n < times; n++) await connection.write(encode(frames));
}

Deno.test("what came before its connection was lost is counted and not read, though nobody took it in between", async () => {
  using peer = new ZmtpPeer(async (connection) => {
    await say(connection, peer.connections === 1 ? 3 : 0, EVENT);
    if (peer.connections > 1) await connection.ended();
  });
  using client = listen(peer);
  await eventually(() => assert.ok(client.told.count >= 2));
  const { observations, lost, counts } = client.listener.take()[0]!;
  assert.deepEqual(observations, []);
  assert.deepEqual([...lost], [`127.0.0.1:${peer.port} ${TOPIC}`]);
  assert.equal(counts.get(TOPIC)!.heard, 3);
  assert.deepEqual(client.listener.take(), []);
});

Deno.test("of a thousand publishers that do not answer 64 are tried at once", async () => {
  let open = 0;
  using peer = new ZmtpPeer(async (connection) => {
    open++;
    await connection.ended();
    open--;
  });
  using client = listen(peer);
  const transport = { kind: "zmq", host: "127.0.0.1", port: peer.port } as const;
  client.listener.follow(
    TARGET,
    Array.from({ length: 1_000 }, (_, n) => ({ ...CHANNEL!, topic: `t${n}`, transport })),
  );
  await eventually(() => assert.equal(open, 64));
  using _ = await Deno.connect({ port: peer.port }); // It queues behind all that are there.
  await eventually(() => assert.ok(open >= 65));
  assert.equal(open, 65);
});
