import assert from "node:assert/strict";
import { startNats } from "../../tools/servers/nats.ts";
import { CapturedDeployment, natsEvents } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { startMetrics } from "../helpers/metrics_process.ts";
import { NatsObserver } from "../helpers/nats_observer.ts";
import { PageReader } from "../../tools/page_reader.ts";

const FOLDER = "1.2.1-default";
const BLOCKS = { "2228897039404508681": 29, "2228897039404508683": 59 };
const EVENTS = natsEvents(FOLDER);
const SUBJECT = "namespace.dynamo.kv_metrics";
const ENVELOPE = EVENTS.find(({ subject }) => subject === SUBJECT)!.body;
/** The same of another topic. */
const OTHERS = Uint8Array.fromHex(
  ENVELOPE.toHex().replace(hexOf("kv_metrics"), hexOf("kv_metricz")),
);

function hexOf(text: string): string {
  return new TextEncoder().encode(text).toHex();
}

/** What comes at the subject of load events, and the reason that is counted. */
const NOT_OURS: readonly (readonly [what: string, body: string | Uint8Array, reason: string])[] = [
  ["nothing", "", "not_json"],
  ["text", "hello", "not_json"],
  ["JSON that is cut off", '{"worker_id":1', "not_json"],
  ["JSON of something else", '{"worker_id":1}', "fields"],
  ["a JSON number", "7", "fields"],
  ["MessagePack that is cut off", ENVELOPE.subarray(0, 40), "not_msgpack"],
  ["MessagePack of something else", Uint8Array.of(0x81, 0xa1, 0x61, 1), "fields"],
  ["the envelope of another topic", OTHERS, "fields"],
  ["bytes", Uint8Array.of(0x8f, 0xc1, 0xff, 0x00), "not_msgpack"],
];

Deno.test("what is no event of ours at the subject of events is counted, and takes nothing from the workers", async () => {
  await using nats = await startNats();
  await using deployment = await CapturedDeployment.start(FOLDER);
  await using metrics = await startMetrics({
    args: ["--component", "backend", "--endpoint", "generate", "--poll-interval", "0.2"],
    env: { ETCD_ENDPOINTS: deployment.etcd.url, NATS_SERVER: nats.url },
  });
  await using observer = await NatsObserver.connect(nats.url);
  const pageOf = async () => new PageReader(await metrics.page());
  await eventually(async () => { // Subjects are subscribed to when their keys are read: say it until it is heard.
    for (const { subject, body } of EVENTS) observer.connection.publish(subject, body);
    assert.deepEqual((await pageOf()).byWorker("llm_kv_blocks_active"), BLOCKS);
  });
  for (const [what, body, reason] of NOT_OURS) {
    const labels = { event: "kv_metrics", reason };
    const before = (await pageOf()).value("dynamo_metrics_events_rejected_total", labels)!;
    observer.connection.publish(SUBJECT, body);
    await eventually(async () => {
      const page = await pageOf();
      assert.equal(page.value("dynamo_metrics_events_rejected_total", labels), before + 1, what);
      assert.deepEqual(page.byWorker("llm_kv_blocks_active"), BLOCKS);
    });
  }
});
