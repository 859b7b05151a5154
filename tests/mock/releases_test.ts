import assert from "node:assert/strict";
import type { Target } from "../../lib/dynamo/target.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { infoText, pingText, type ServiceInstance, statsText } from "../../lib/micro/replies.ts";
import { loadDebugText } from "../../lib/mock/load_debug_text.ts";
import { MockNumbers } from "../../lib/mock/numbers.ts";
import {
  defaultEventPlane,
  isRelease,
  type Release,
  RELEASES,
  releaseTraits,
} from "../../lib/mock/releases.ts";
import { MockSpeech } from "../../lib/mock/speech.ts";
import { MockWorker } from "../../lib/mock/worker.ts";

const TESTDATA = new URL("../testdata/", import.meta.url);

const TARGET: Target = { namespace: "dynamo", component: "my_component", endpoint: "my_endpoint" };

const PYTHON: Target = { namespace: "dynamo", component: "VllmWorker", endpoint: "generate" };
const MOCKER: Target = { namespace: "dynamo", component: "backend", endpoint: "generate" };

interface Captured {
  readonly release: Release;
  readonly target: Target;
  /** Below testdata/. */
  readonly folder: string;
  /** The original mock worker's own, which has replies to compare. */
  readonly isMock: boolean;
}

/** After 0.3.2 there was no mock worker any more: what compares is of Python workers, and of Dynamo's mockers. */
const CAPTURED: readonly Captured[] = [
  ...(["0.1.0", "0.1.1", "0.2.1", "0.3.0"] as const).map((release) => mockCapture(release, TARGET)),
  mockCapture("0.3.2", { ...TARGET, component: "MyComponent" }),
  {
    release: "0.6.0",
    target: { ...PYTHON, endpoint: "load_metrics" },
    folder: "captures/0.6.0/worker",
    isMock: false,
  },
  { release: "0.7.1", target: PYTHON, folder: "captures/0.7.1/worker", isMock: false },
  { release: "0.8.1", target: PYTHON, folder: "captures/0.8.1/worker", isMock: false },
  { release: "0.9.1", target: MOCKER, folder: "modern/0.9.1-default", isMock: false },
  { release: "1.2.1", target: MOCKER, folder: "modern/1.2.1-default", isMock: false },
  { release: "1.6.1", target: MOCKER, folder: "modern/1.6.1-default", isMock: false },
];

function mockCapture(release: Release, target: Target): Captured {
  return { release, target, folder: `captures/${release}/original-mock_worker`, isMock: true };
}

Deno.test("every release that can be chosen is compared with a capture, but 1.4.2 of which there is none", () => {
  assert.deepEqual(
    CAPTURED.map(({ release }) => release),
    Object.keys(RELEASES).filter((release) => release !== "1.4.2"),
  );
  for (const { release } of CAPTURED) assert.ok(isRelease(release));
  for (const other of ["0.1.2", "0.6.1", "", "toString"]) assert.ok(!isRelease(other));
});

for (const captured of CAPTURED) {
  const { release, target, isMock } = captured;
  const capture = (file: string) => Deno.readTextFile(new URL(`${captured.folder}/${file}`, TESTDATA));

  Deno.test(`a mock worker of ${release} has the keys and values of a real one`, async () => {
    const { kvs } = JSON.parse(await capture("etcd.json")) as { kvs: EtcdEntry[] };
    const ids = kvs.map(({ key, lease_hex }) =>
      key.endsWith(`${target.endpoint}:${lease_hex}`) ||
        key === `v1/instances/${target.namespace}/${target.component}/${target.endpoint}/${lease_hex}`
        ? lease_hex
        : []
    ).flat();
    assert.equal(ids.length, 2);
    for (const lease of ids) {
      await using appeared = appear({ release, target, id: BigInt(`0x${lease}`).toString() as WorkerId });
      for (const own of appeared.written) {
        const real = kvs.find(({ key, lease_hex }) =>
          lease_hex === lease && kindOf(key) === kindOf(own.key)
        ) ??
          // A worker's hit rates are its router's.
          kvs.find(({ key }) => kindOf(key) === kindOf(own.key));
        assert.ok(real, own.key);
        if (own.key.startsWith("v1/mdc/")) assertPartOf(own.value, real.value);
        else assert.deepEqual(comparable(own), comparable(real));
      }
    }
  });

  if (!isMock) continue;
  Deno.test(`a mock worker of ${release} answers as the original, byte for byte but for its numbers`, async () => {
    for (const [file, write] of Object.entries(REPLIES)) {
      const original = await capture(file);
      const id = /-([0-9a-f]+)"/.exec(await capture("stats-reply-1.json"))![1]!;
      await using appeared = appear({ release, target, id: BigInt(`0x${id}`).toString() as WorkerId });
      const own = write(appeared.instance!);
      assert.equal(withoutNumbers(own), withoutNumbers(original));
      assert.notEqual(own, original);
    }
  });

  Deno.test(`a mock worker of ${release} logs its load as the original`, async () => {
    const line = (await capture("stderr.txt")).trimEnd().split("Stats: ")[1]!;
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

/** What a key is of: topic, card or instance. */
function kindOf(key: string): string {
  const topic = /(kv_metrics|forward-pass-metrics|kv-hit-rate)\/[0-9a-f]+$/.exec(key);
  return topic?.[1] ?? /^v1\/mdc/.exec(key)?.[0] ?? key.replace(/[0-9a-f]+$/, "");
}

/** Without addresses and ports, which are the machine's, and without the numbers that publishers draw. */
function comparable({ key, value }: { key: string; value: string }): string[] {
  const publisher = key.startsWith("v1/event_channels/") ? key.slice(key.lastIndexOf("/") + 1) : "none";
  const decimal = publisher === "none" ? "none" : BigInt(`0x${publisher}`).toString();
  const text = value
    .replace(/(?<="tcp:\/\/|"tcp":")[\d.]+:\d+/, "HOST:PORT")
    .replace(`"instance_id":${decimal},`, '"instance_id":ID,');
  return [key.replace(publisher, "ID"), text];
}

/** That all fields of `text` are in `whole`, in its order and with its kinds. */
function assertPartOf(text: string, whole: string): void {
  const check = (own: unknown, real: unknown, path: string) => {
    assert.equal(typeof own, typeof real, path);
    if (typeof own !== "object" || own === null) return;
    const names = Object.keys(own);
    assert.deepEqual(Object.keys(real as object).filter((name) => names.includes(name)), names, path);
    for (const name of names) {
      check((own as Fields)[name], (real as Fields)[name], `${path}.${name}`);
    }
  };
  check(JSON.parse(text), JSON.parse(whole), "");
}

type Fields = Readonly<Record<string, unknown>>;

/** What a worker of that release tells etcd and NATS. */
function appear({ release, target, id }: { release: Release; target: Target; id: WorkerId }) {
  const traits = releaseTraits(release);
  const instances: ServiceInstance[] = [];
  const numbers = new MockNumbers({ seed: "1", index: 0, shape: traits.loadShape, steady: false });
  const link = { publish: () => undefined };
  const plane = defaultEventPlane(traits);
  const carrier = plane === "nats" ? { plane, link } : { plane, host: "192.0.2.2" };
  const speech = new MockSpeech({ target, traits, numbers, carrier, link });
  const worker = new MockWorker({
    target,
    traits,
    numbers,
    speech,
    group: { add: (instance) => void instances.push(instance), remove: () => {} },
    host: "192.0.2.2",
  });
  const written = worker.appear(id);
  return { written, instance: instances[0], [Symbol.asyncDispose]: () => speech[Symbol.asyncDispose]() };
}

const NUMBER = /\d+(\.\d+)?(e-\d+)?/g;

/** The instance's random id (22 characters), its time of start to the nanosecond, and the load's numbers made equal. */
function withoutNumbers(reply: string): string {
  return reply
    .replace(/"id":"[0-9A-Za-z]{22}"/, '"id":"…"')
    .replace(/"started":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"/, '"started":"…"')
    .replace(/"data":.*,"queue_group"/, (data) => data.replaceAll(NUMBER, "N"));
}
