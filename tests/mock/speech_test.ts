import assert from "node:assert/strict";
import { parseEnvelope } from "../../lib/dynamo/event_envelope.ts";
import { parseForwardPass } from "../../lib/dynamo/forward_pass.ts";
import { parseHitRate, parseHitRateEnvelope } from "../../lib/dynamo/hit_rate.ts";
import { parseKvMetrics, parseKvMetricsJson } from "../../lib/dynamo/kv_metrics.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { MockNumbers } from "../../lib/mock/numbers.ts";
import { type Release, RELEASES, releaseTraits } from "../../lib/mock/releases.ts";
import { MockSpeech } from "../../lib/mock/speech.ts";

const TARGET = { namespace: "ns", component: "c", endpoint: "generate" };
const WORKER = "7587869789519" as WorkerId;
const SEED = { seed: "7", index: 0 } as const;

/** What a worker of a release says over NATS in so many seconds. */
async function said(release: Release, { seconds, steady = false }: { seconds: number; steady?: boolean }) {
  const traits = releaseTraits(release);
  const numbers = new MockNumbers({ ...SEED, shape: traits.loadShape, steady });
  const messages: { subject: string; data: string | Uint8Array }[] = [];
  const link = {
    publish: (subject: string, data: string | Uint8Array) => void messages.push({ subject, data }),
  };
  const carrier = { plane: "nats", link } as const;
  await using speech = new MockSpeech({ target: TARGET, traits, numbers, carrier, link });
  speech.announce(WORKER);
  for (let n = 0; n < seconds; n++) speech.say({ begins: n === 0 });
  const at = (subject: string) => messages.filter((message) => message.subject === subject);
  return {
    subjects: [...new Set(messages.map(({ subject }) => subject))],
    texts: (subject: string) => at(subject).map(({ data }) => data as string),
    envelopes: (subject: string) => at(subject).map(({ data }) => parseEnvelope(data as Uint8Array)),
  };
}

/** Of the same seed, drawn apart. */
function loads(release: Release, count: number) {
  const numbers = new MockNumbers({ ...SEED, shape: releaseTraits(release).loadShape, steady: false });
  return Array.from({ length: count }, () => numbers.nextLoad());
}

const ENDPOINT = "namespace.ns.component.c.endpoint.generate";

/** Where each release speaks. */
const SUBJECTS: Readonly<Record<Release, readonly string[]>> = {
  "0.1.0": ["namespace.ns.kv-hit-rate"],
  "0.1.1": ["namespace.ns.kv-hit-rate"],
  "0.2.1": ["namespace.ns.kv-hit-rate"],
  "0.3.0": ["namespace.ns.kv-hit-rate"],
  "0.3.2": ["namespace.ns.kv-hit-rate"],
  "0.6.0": ["namespace.ns.kv-hit-rate"],
  "0.7.1": ["namespace.ns.kv-hit-rate", "namespace.ns.kv_metrics"],
  "0.8.1": ["namespace.ns.kv_metrics"],
  "0.9.1": ["namespace.ns.kv-hit-rate", "namespace.ns.kv_metrics"],
  "1.2.1": ["namespace.ns.kv_metrics", "namespace.ns.component.c.forward-pass-metrics"],
  "1.4.2": [`${ENDPOINT}.kv_metrics`, `${ENDPOINT}.forward-pass-metrics`],
  "1.6.1": [`${ENDPOINT}.kv_metrics`, `${ENDPOINT}.forward-pass-metrics`],
};

for (const release of Object.keys(RELEASES) as Release[]) {
  Deno.test(`a worker of ${release} speaks where workers of that release do`, async () => {
    assert.deepEqual((await said(release, { seconds: 3 })).subjects, SUBJECTS[release]);
  });
}

for (const release of ["1.2.1", "1.6.1"] as const) {
  Deno.test(`events of ${release} say one load each second, numbered from 0, and the blocks only when they change`, async () => {
    const seconds = 2_000;
    const { envelopes } = await said(release, { seconds });
    const [blocksAt, passesAt] = SUBJECTS[release];
    const drawn = loads(release, seconds);
    const passes = envelopes(passesAt!);
    assert.deepEqual(
      passes.map(parseForwardPass),
      drawn.map(({ activeSlots, requestsWaiting }) => ({
        worker: WORKER,
        dpRank: 0,
        running: activeSlots,
        waiting: requestsWaiting,
        isHeartbeat: false,
      })),
    );
    const changes = drawn.map(({ activeBlocks }) => activeBlocks).filter((n, at, all) => n !== all[at - 1]);
    assert.ok(changes.length < seconds);
    const blocks = envelopes(blocksAt!);
    assert.deepEqual(
      blocks.map(parseKvMetrics),
      changes.map((usedBlocks) => ({ worker: WORKER, dpRank: 0, kind: "own", usedBlocks })),
    );
    for (const events of [passes, blocks]) {
      assert.deepEqual(events.map(({ sequence }) => sequence), events.map((_, n) => n));
      const publishers = new Set(events.map(({ publisher }) => publisher));
      assert.equal(publishers.size, 1);
      assert.equal(publishers.has(WORKER), release === "1.2.1");
      for (const publisher of publishers) assert.ok(BigInt(publisher) < 2n ** 53n);
    }
  });
}

Deno.test("a load that never changes is said again each second, as a late listener must hear it", async () => {
  const { envelopes } = await said("0.9.1", { seconds: 4, steady: true });
  const events = envelopes("namespace.ns.kv_metrics");
  const [{ activeBlocks: usedBlocks } = assert.fail()] = loads("0.9.1", 1);
  assert.deepEqual(
    events.map(parseKvMetrics),
    Array(4).fill({ worker: WORKER, dpRank: 0, kind: "own", usedBlocks }),
  );
});

Deno.test("a load that begins anew is said though it is the same, and a new id numbers its events anew", async () => {
  const traits = releaseTraits("0.9.1");
  const numbers = new MockNumbers({ ...SEED, shape: "nested", steady: true });
  const same = {
    steady: false,
    nextLoad: () => numbers.nextLoad(),
    nextHitRate: () => numbers.nextHitRate(),
  };
  const messages: { subject: string; data: string | Uint8Array }[] = [];
  const link = {
    publish: (subject: string, data: string | Uint8Array) => void messages.push({ subject, data }),
  };
  await using speech = new MockSpeech({
    target: TARGET,
    traits,
    numbers: same,
    carrier: { plane: "nats", link },
    link,
  });
  const other = "99" as WorkerId;
  for (const worker of [WORKER, other]) {
    speech.announce(worker);
    for (const begins of [true, false, true]) speech.say({ begins });
  }
  const events = messages.filter(({ subject }) => subject === "namespace.ns.kv_metrics")
    .map(({ data }) => parseEnvelope(data as Uint8Array));
  assert.deepEqual(events.map(({ publisher, sequence }) => [publisher, sequence]), [
    [WORKER, 0],
    [WORKER, 1],
    [other, 0],
    [other, 1],
  ]);
});

Deno.test("events in JSON have the whole load in 0.7.1, and the blocks in 0.8.1", async () => {
  const [load] = loads("0.7.1", 1);
  const whole = await said("0.7.1", { seconds: 1 });
  assert.deepEqual(whole.texts("namespace.ns.kv_metrics").map(parseKvMetricsJson), [
    { kind: "load", worker: WORKER, dpRank: 0, load },
  ]);
  const blocks = await said("0.8.1", { seconds: 1 });
  assert.deepEqual(blocks.texts("namespace.ns.kv_metrics").map(parseKvMetricsJson), [
    { kind: "own", worker: WORKER, dpRank: 0, usedBlocks: load!.activeBlocks },
  ]);
});

Deno.test("hit rates name a random worker to 0.6.0 and then this one, with its rank, in the release's encoding", async () => {
  const numbers = new MockNumbers({ ...SEED, shape: "nested", steady: false });
  const drawn = numbers.nextHitRate();
  const subject = "namespace.ns.kv-hit-rate";
  const [old] = (await said("0.6.0", { seconds: 1 })).texts(subject);
  assert.deepEqual(parseHitRate(old!), drawn);
  assert.doesNotMatch(old!, /dp_rank/);
  const [json] = (await said("0.7.1", { seconds: 1 })).texts(subject);
  assert.deepEqual(parseHitRate(json!), { ...drawn, worker: WORKER });
  assert.match(json!, /^\{"worker_id":\d+,"dp_rank":0,/);
  const [envelope] = (await said("0.9.1", { seconds: 1 })).envelopes(subject);
  assert.deepEqual(parseHitRateEnvelope(envelope!), { ...drawn, worker: WORKER });
});
