import assert from "node:assert/strict";
import { BLOCKS, type Channel, FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

/** The topic of what it says, so that it is what we subscribe to. */
const topicOf = ({ events }: Channel) => events[0]![0]!;

/** What libzmq sends, whatever it is given, and the reason that is counted. */
const GARBAGE: readonly (readonly [what: string, frames: (channel: Channel) => string[], reason: string])[] =
  [
    ["its topic alone", (channel) => [topicOf(channel)], "not_msgpack"],
    ["random bytes", (channel) => {
      const bytes = () => crypto.getRandomValues(new Uint8Array(500)).toHex();
      return [topicOf(channel), bytes(), bytes(), bytes()];
    }, "not_msgpack"],
    ["an envelope cut in two", ({ events }) => {
      const [topic, publisher, sequence, last] = events.at(-1)!;
      return [topic!, publisher!, sequence!, last!.slice(0, 60)];
    }, "not_msgpack"],
    ["an empty map for an envelope", ({ events }) => {
      const [topic, publisher, sequence] = events.at(-1)!;
      return [topic!, publisher!, sequence!, "010000000180"];
    }, "fields"],
  ];

Deno.test("garbage of a publisher is counted and says nothing, and its neighbour is heard on", async () => {
  await using deployment = await ZmqDeployment.start();
  const { captured } = deployment;
  await deployment.shows(BLOCKS);
  for (const [what, frames, reason] of GARBAGE) {
    const rejected = async () => {
      const page = await deployment.page();
      return ["kv_metrics", "forward-pass-metrics"].map((event) =>
        page.value("dynamo_metrics_events_rejected_total", { event, reason })!
      );
    };
    const before = await rejected();
    await captured.killPublishers(FIRST);
    await captured.publish(FIRST, (channel) => ({ frames: frames(channel) }));
    await eventually(async () => {
      const after = await rejected();
      assert.ok(after.every((count, n) => count > before[n]! + 5), `${what}: ${before} ${after}`);
    });
    const page = await deployment.shows({ [SECOND]: 61 });
    assert.deepEqual(page.states(), { [FIRST]: "discovered", [SECOND]: "responding" });
  }
  await captured.killPublishers(SECOND);
  await captured.publish(SECOND, ({ events }) => ({ frames: events[0]! }));
  await deployment.shows({ [SECOND]: 28 });
  await captured.killPublishers(FIRST);
  await captured.publish(FIRST);
  await deployment.shows({ [FIRST]: 63, [SECOND]: 28 });
  assert.doesNotMatch(deployment.metrics.log(), /WARN|ERROR/);
});
