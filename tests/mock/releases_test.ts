import assert from "node:assert/strict";
import { serviceName } from "../../lib/dynamo/service_name.ts";
import type { Target } from "../../lib/dynamo/target.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { infoText, pingText, type ServiceInstance, statsText } from "../../lib/micro/replies.ts";
import { loadDebugText } from "../../lib/mock/load_debug_text.ts";
import { MockNumbers } from "../../lib/mock/numbers.ts";
import { isRelease, type Release, RELEASES } from "../../lib/mock/releases.ts";
import { MockWorker } from "../../lib/mock/worker.ts";

const CAPTURES = new URL("../testdata/captures/", import.meta.url);

const TARGET: Target = { namespace: "dynamo", component: "my_component", endpoint: "my_endpoint" };

/** 0.6.0 had no mock worker any more: its capture is of a Python worker, of which only the key compares. */
const CAPTURED: readonly { release: Release; target: Target; withReplies: boolean }[] = [
  { release: "0.1.0", target: TARGET, withReplies: true },
  { release: "0.1.1", target: TARGET, withReplies: true },
  { release: "0.2.1", target: TARGET, withReplies: true },
  { release: "0.3.0", target: TARGET, withReplies: true },
  { release: "0.3.2", target: { ...TARGET, component: "MyComponent" }, withReplies: true },
  {
    release: "0.6.0",
    target: { namespace: "dynamo", component: "VllmWorker", endpoint: "load_metrics" },
    withReplies: false,
  },
];

Deno.test("every release that can be chosen is compared with a capture", () => {
  assert.deepEqual(CAPTURED.map(({ release }) => release), Object.keys(RELEASES));
  for (const { release } of CAPTURED) assert.ok(isRelease(release));
  for (const other of ["0.1.2", "0.6.1", "", "toString"]) assert.ok(!isRelease(other));
});

for (const { release, target, withReplies } of CAPTURED) {
  Deno.test(`a mock worker of ${release} has the key and value of a real one`, async () => {
    const { kvs } = JSON.parse(await capture(release, "etcd.json")) as { kvs: EtcdEntry[] };
    const registered = kvs.filter(({ key }) => key.includes(`/${target.component}/${target.endpoint}`));
    assert.equal(registered.length, 2);
    for (const { key, value, lease_hex } of registered) {
      const { written } = appear({ release, target, id: BigInt(`0x${lease_hex}`).toString() as WorkerId });
      assert.deepEqual(written, { key, value });
    }
  });

  if (!withReplies) continue;
  Deno.test(`a mock worker of ${release} answers as the original, byte for byte but for its numbers`, async () => {
    for (const [file, write] of Object.entries(REPLIES)) {
      const original = await capture(release, file);
      const id = /-([0-9a-f]+)"/.exec(await capture(release, "stats-reply-1.json"))![1]!;
      const { instance } = appear({ release, target, id: BigInt(`0x${id}`).toString() as WorkerId });
      const own = write(instance);
      assert.equal(withoutNumbers(own), withoutNumbers(original));
      assert.notEqual(own, original);
    }
  });

  Deno.test(`a mock worker of ${release} logs its load as the original`, async () => {
    const line = (await capture(release, "stderr.txt")).trimEnd().split("Stats: ")[1]!;
    const shape = RELEASES[release].loadShape;
    const load = new MockNumbers({ seed: "1", index: 0, shape, steady: true }).nextLoad();
    assert.equal(loadDebugText(load).replaceAll(NUMBER, "N"), line.replaceAll(NUMBER, "N"));
  });
}

Deno.test("a load is logged with the shortest digits that name its 32-bit ratios", () => {
  const load = {
    shape: "flat7",
    activeSlots: 45,
    totalSlots: 100,
    activeBlocks: 12,
    totalBlocks: 100,
    requestsWaiting: 93,
    cacheUsageRatio: Math.fround(0.64272845),
    prefixHitRatio: 1,
  } as const;
  assert.equal(
    loadDebugText(load),
    "ForwardPassMetrics { request_active_slots: 45, request_total_slots: 100, kv_active_blocks: 12, " +
      "kv_total_blocks: 100, num_requests_waiting: 93, gpu_cache_usage_perc: 0.64272845, gpu_prefix_cache_hit_rate: 1.0 }",
  );
});

interface EtcdEntry {
  readonly key: string;
  readonly value: string;
  readonly lease_hex: string;
}

const REPLIES: Readonly<Record<string, (instance: ServiceInstance) => string>> = {
  "stats-reply-1.json": statsText,
  "info-reply-1.json": infoText,
  "ping-reply-1.json": pingText,
};

/** What a worker of that release tells etcd and NATS. */
function appear({ release, target, id }: { release: Release; target: Target; id: WorkerId }) {
  const traits = RELEASES[release];
  const instances: ServiceInstance[] = [];
  const worker = new MockWorker({
    target,
    traits,
    service: serviceName(traits.serviceForm, target.namespace, target.component),
    numbers: new MockNumbers({ seed: "1", index: 0, shape: traits.loadShape, steady: false }),
    group: { add: (instance) => void instances.push(instance), remove: () => {} },
    link: { publish: () => undefined },
  });
  const written = worker.appear(id);
  return { written, instance: instances[0]! };
}

const NUMBER = /\d+(\.\d+)?(e-\d+)?/g;

/** The instance's random id (22 characters), its time of start to the nanosecond, and the load's numbers made equal. */
function withoutNumbers(reply: string): string {
  return reply
    .replace(/"id":"[0-9A-Za-z]{22}"/, '"id":"…"')
    .replace(/"started":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"/, '"started":"…"')
    .replace(/"data":.*,"queue_group"/, (data) => data.replaceAll(NUMBER, "N"));
}

function capture(release: Release, file: string): Promise<string> {
  const program = release === "0.6.0" ? "worker" : "original-mock_worker";
  return Deno.readTextFile(new URL(`${release}/${program}/${file}`, CAPTURES));
}
