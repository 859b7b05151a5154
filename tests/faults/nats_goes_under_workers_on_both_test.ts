import assert from "node:assert/strict";
import { putLeasedKeys } from "../../tools/etcd_gateway.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { BLOCKS, capturedKeys, natsEvents } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { NatsObserver } from "../helpers/nats_observer.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";

const FOLDER = "1.2.1-default";
const ON_NATS = { "2228897039404508681": 29, "2228897039404508683": 59 };

Deno.test("when NATS goes only what came by it is taken, and workers on ZMQ beside them are shown as ever", async () => {
  await using nats = await startNats();
  await using deployment = await ZmqDeployment.start({ args: [], env: { NATS_SERVER: nats.url } });
  await putLeasedKeys(deployment.captured.etcd.url, capturedKeys(FOLDER));
  const say = async () => {
    await using observer = await NatsObserver.connect(nats.url);
    await eventually(async () => { // Subjects are subscribed to when their keys are read: say it until it is heard.
      for (const { subject, body } of natsEvents(FOLDER)) observer.connection.publish(subject, body);
      await observer.connection.flush();
      const page = await deployment.page();
      assert.deepEqual(page.byWorker("llm_kv_blocks_active"), { ...BLOCKS, ...ON_NATS });
      assert.equal(page.value("dynamo_metrics_up"), 1);
      assert.equal(page.values("dynamo_metrics_router_active_decode_blocks").length, 2);
    });
  };
  await say();
  // As workers are whose load does not change: what is taken is not said again.
  await deployment.captured.quiet();
  let since: { heard: number; rounds: number } | undefined;
  await eventually(async () => { // What they said before has come.
    const page = await deployment.page();
    const heard = page.value("dynamo_metrics_events_total", { event: "kv_metrics" })!;
    const rounds = page.value("dynamo_metrics_rounds_total")!;
    if (heard !== since?.heard) since = { heard, rounds };
    assert.ok(rounds >= since.rounds + 5);
  });
  await nats.kill();
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.value("dynamo_metrics_up"), 0);
    assert.deepEqual(page.byWorker("llm_kv_blocks_active"), BLOCKS);
    assert.deepEqual(page.values("dynamo_metrics_router_active_decode_blocks"), []);
    assert.deepEqual(Object.keys(page.byWorker("llm_requests_active_slots")), Object.keys(BLOCKS));
    assert.deepEqual(page.values("llm_kv_blocks_total"), [512, 512, 512, 512]); // By their cards.
    const { [Object.keys(ON_NATS)[0]!]: state } = page.states();
    assert.equal(state, "discovered");
  });
  assert.deepEqual(await deployment.ready(), { status: "degraded", reasons: ["NATS is not connected"] });
  await nats.start();
  await say();
});
