import assert from "node:assert/strict";
import { joinBytes } from "../../lib/bytes.ts";
import { encodeMessage, pong } from "../../lib/transport/zmtp.ts";
import { BLOCKS, FIRST, type Frames, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";
import { welcome, ZmtpPeer } from "../helpers/zmtp_peer.ts";

const FLOOD = 100_000;
/** Of which nobody can tell whose it is: each would be kept until it is read. */
const NOISE = encodeMessage(Array(4).fill(new Uint8Array()));

Deno.test("of a flood not all is read, and it takes nothing from its publisher's numbers, nor from its neighbour's", async () => {
  let events: readonly Frames[] = [];
  const message = (n: number) => encodeMessage(events.at(n)!.map((frame) => Uint8Array.fromHex(frame)));
  const { promise: flooded, resolve: flood } = Promise.withResolvers<void>();
  using peer = new ZmtpPeer(async (connection) => {
    await welcome(connection);
    await connection.write(message(-1));
    void flooded.then(() => connection.write(joinBytes(Array(FLOOD).fill(NOISE)), message(0)));
    for (let said = await connection.next(); said !== undefined; said = await connection.next()) {
      if (said.kind === "command") await connection.write(pong(said.data));
    }
  });
  await using deployment = await ZmqDeployment.start({
    through: (channel) => {
      if (channel.worker !== FIRST || channel.topic !== "kv_metrics") return channel.port;
      events = channel.events;
      return peer.port;
    },
  });
  const { captured } = deployment;
  const page = await deployment.shows(BLOCKS);
  const heardBefore = page.value("dynamo_metrics_events_total", { event: "kv_metrics" })!;
  flood();
  await eventually(async () => {
    const page = await deployment.page();
    const heard = page.value("dynamo_metrics_events_total", { event: "kv_metrics" })! - heardBefore;
    const [read] = page.values("dynamo_metrics_events_rejected_total", {
      event: "kv_metrics",
      reason: "not_msgpack",
    });
    assert.ok(heard > FLOOD, `${heard}`);
    assert.ok(read! > 0 && read! < FLOOD * 0.9, `${read}`);
  });
  await captured.killPublishers(SECOND);
  await captured.publish(SECOND, ({ events }) => ({ frames: events[0]! }));
  await deployment.shows({ [FIRST]: 38, [SECOND]: 28 });
  assert.equal(peer.connections, 1);
});
