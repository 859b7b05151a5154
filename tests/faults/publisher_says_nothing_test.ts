import assert from "node:assert/strict";
import { encodeMessage } from "../../lib/transport/zmtp.ts";
import { BLOCKS, FIRST, type Frames, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";
import { type PeerConnection, welcome, ZmtpPeer } from "../helpers/zmtp_peer.ts";

/** How a peer may say nothing. */
const SILENCES: Readonly<Record<string, (connection: PeerConnection) => Promise<void>>> = {
  "does not greet": (connection) => connection.ended(),
  "takes the subscription and answers no PING": async (connection) => {
    await welcome(connection);
    await connection.ended();
  },
};

for (const [what, saysNothing] of Object.entries(SILENCES)) {
  Deno.test(`a publisher that ${what} is sought on, and all others are heard`, async () => {
    using peer = new ZmtpPeer(saysNothing);
    let event: Frames = [];
    await using deployment = await ZmqDeployment.start({
      through: ({ worker, topic, port, events }) => {
        if (worker !== FIRST || topic !== "kv_metrics") return port;
        event = events.at(-1)!;
        return peer.port;
      },
    });
    const page = await deployment.shows({ [SECOND]: 61 });
    await eventually(async () => {
      const slots = (await deployment.page()).byWorker("llm_requests_active_slots");
      assert.deepEqual(slots, { [FIRST]: 4, [SECOND]: 4 }); // The first one's other publisher is heard.
    });
    assert.equal(page.byWorker("dynamo_metrics_worker_kv_cache_usage_ratio")[FIRST], undefined);
    await eventually(() => assert.ok(peer.connections >= 2));
    peer.play = async (connection) => {
      await welcome(connection);
      await connection.write(encodeMessage(event.map((frame) => Uint8Array.fromHex(frame))));
      await connection.ended();
    };
    await deployment.shows(BLOCKS);
  });
}
