import assert from "node:assert/strict";
import { parseEventChannel } from "../../lib/dynamo/event_channel.ts";
import { parseEnvelope } from "../../lib/dynamo/event_envelope.ts";
import { parseHitRate } from "../../lib/dynamo/hit_rate.ts";
import { parseInstanceValue } from "../../lib/dynamo/instance_value.ts";
import { type KvMetrics, parseKvMetrics, parseKvMetricsJson } from "../../lib/dynamo/kv_metrics.ts";
import { workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import { listNames, readLines } from "../helpers/captured_events.ts";

// Events and etcd keys of real Python workers of each release from 0.5.0 on. One published 40 blocks in use, the other
// 60 as rank 1, which 0.5.0 to 0.7.1 send with the whole load.

const CAPTURES = new URL("../testdata/captures/", import.meta.url);

interface Expectation {
  readonly kind: KvMetrics["kind"];
  readonly hitRates: number;
  readonly transport: "nats" | "tcp";
  /** Where the events are published, for the releases that say so in etcd. */
  readonly subject?: string;
}

const NAMESPACE = "namespace.dynamo.kv_metrics";
const ENDPOINT = "namespace.dynamo.component.VllmWorker.endpoint.generate.kv_metrics";

const EXPECTED: Readonly<Record<string, Expectation>> = {
  "0.5.0/worker": { kind: "load", hitRates: 3, transport: "nats" },
  "0.6.0/worker": { kind: "load", hitRates: 3, transport: "nats" },
  "0.7.1/worker": { kind: "load", hitRates: 3, transport: "nats" },
  "0.8.1/worker": { kind: "own", hitRates: 0, transport: "tcp" },
  "0.8.1/worker-nats-plane": { kind: "own", hitRates: 0, transport: "nats" },
  "0.9.1/worker": { kind: "own", hitRates: 0, transport: "tcp", subject: NAMESPACE },
  "0.9.1/worker-nats-plane": { kind: "own", hitRates: 0, transport: "nats", subject: NAMESPACE },
  "1.2.1/worker": { kind: "own", hitRates: 0, transport: "tcp", subject: NAMESPACE },
  "1.2.1/worker-nats-plane": { kind: "own", hitRates: 0, transport: "nats", subject: NAMESPACE },
  "1.6.1/worker": { kind: "own", hitRates: 0, transport: "tcp", subject: ENDPOINT },
  "1.6.1/worker-nats-plane": { kind: "own", hitRates: 0, transport: "nats", subject: ENDPOINT },
};

Deno.test("every folder with captured load events is expected, and no file of the later ones is unread", () => {
  const folders = listNames(CAPTURES).flatMap((release) =>
    listNames(new URL(`${release}/`, CAPTURES)).map((program) => `${release}/${program}`)
  );
  const expected = folders.filter((folder) => {
    const files = listNames(new URL(`${folder}/`, CAPTURES));
    if (!files.includes("page.http.txt") && !files.includes("stderr.txt")) {
      const others = files.filter((file) => !file.startsWith("stats-reply-")); // Read in releases_test.ts.
      assert.deepEqual(others, ["etcd.json", "events.jsonl"]);
    }
    return readEvents(folder).some(({ subject }) => isKvMetrics(subject));
  });
  assert.deepEqual(expected, Object.keys(EXPECTED));
});

for (const [folder, { kind, hitRates, transport, subject }] of Object.entries(EXPECTED)) {
  Deno.test(`the captured events ${folder} say what both workers published`, () => {
    const heard = readEvents(folder).filter((event) => isKvMetrics(event.subject));
    assert.deepEqual(heard.map((event) => event.subject), Array(2).fill(subject ?? NAMESPACE));
    const events = heard.map(({ body, body_b64 }) =>
      body === undefined
        ? parseKvMetrics(parseEnvelope(Uint8Array.fromBase64(body_b64!)))
        : parseKvMetricsJson(body)
    ).toSorted((a, b) => a.dpRank - b.dpRank);
    assert.deepEqual(events.map(({ worker }) => worker).toSorted(), workers(folder).toSorted());
    assert.deepEqual(
      events.map(({ worker: _, ...said }) => said),
      kind === "load" ? LOADS : [{ dpRank: 0, kind, usedBlocks: 40 }, { dpRank: 1, kind, usedBlocks: 60 }],
    );
  });

  Deno.test(`the captured hit rates ${folder} name the workers`, () => {
    const bodies = readEvents(folder).filter((event) => event.subject === "namespace.dynamo.kv-hit-rate");
    assert.equal(bodies.length, hitRates);
    for (const { body } of bodies) {
      const { worker, ...blocks } = parseHitRate(body!);
      assert.ok(workers(folder).includes(worker));
      assert.deepEqual(blocks, { islBlocks: 10, overlapBlocks: 0 });
    }
  });

  Deno.test(`the captured keys ${folder} are read as they are written`, () => {
    const { instances, channels } = readKeys(folder);
    for (const { value } of instances) {
      assert.equal(parseInstanceValue(value).host, transport === "tcp" ? "192.0.2.2" : undefined);
    }
    assert.equal(channels.length, subject === undefined ? 0 : 2);
    const isOfEndpoint = subject === ENDPOINT;
    const owners = channels.map(({ key, value, lease }) => {
      const channel = parseEventChannel({ key, value, lease });
      assert.ok(channel !== undefined);
      const { owner, publisher, releases: _, ...rest } = channel;
      assert.equal(publisher, workerIdFromHex(key.split("/").at(-1)!));
      assert.equal(publisher === owner, !isOfEndpoint);
      assert.deepEqual(rest, {
        key,
        topic: "kv_metrics",
        namespace: "dynamo",
        component: isOfEndpoint ? "VllmWorker" : undefined,
        endpoint: isOfEndpoint ? "generate" : undefined,
        transport: { kind: "nats", subject },
      });
      return owner!;
    });
    if (subject !== undefined) assert.deepEqual(owners.toSorted(), workers(folder).toSorted());
  });
}

const LOADS = [
  {
    dpRank: 0,
    kind: "load",
    load: {
      shape: "nested",
      activeSlots: 3,
      totalSlots: 100,
      activeBlocks: 40,
      totalBlocks: 1000,
      requestsWaiting: 2,
      cacheUsageRatio: 0.5,
      prefixHitRatio: 0.25,
    },
  },
  {
    dpRank: 1,
    kind: "load",
    load: {
      shape: "nested",
      activeSlots: 7,
      totalSlots: 100,
      activeBlocks: 60,
      totalBlocks: 1000,
      requestsWaiting: 0,
      cacheUsageRatio: 0.10000000149011612,
      prefixHitRatio: 0.75,
      dpRank: 1,
      specDecode: {
        specTokens: 2,
        drafts: 10,
        draftTokens: 20,
        acceptedTokens: 15,
        acceptedTokensPerPosition: [9, 6],
      },
    },
  },
];

interface CapturedEvent {
  readonly subject: string;
  readonly body?: string;
  readonly body_b64?: string;
}

function readEvents(folder: string): readonly CapturedEvent[] {
  return readLines(new URL(`${folder}/events.jsonl`, CAPTURES)).map((line) => JSON.parse(line));
}

function isKvMetrics(subject: string): boolean {
  return subject.startsWith("namespace.") && subject.endsWith(".kv_metrics");
}

interface CapturedKey {
  readonly key: string;
  readonly value: string;
  readonly lease: string;
}

function readKeys(folder: string): { instances: CapturedKey[]; channels: CapturedKey[] } {
  const { kvs } = JSON.parse(Deno.readTextFileSync(new URL(`${folder}/etcd.json`, CAPTURES))) as {
    kvs: { key: string; value: string; lease_hex: string }[];
  };
  const entries = kvs.map(({ key, value, lease_hex }) => ({
    key,
    value,
    lease: workerIdFromHex(lease_hex)!,
  }));
  return {
    instances: entries.filter(({ key }) => /^(?:v1\/)?instances\/.*\/generate[/:]/.test(key)),
    channels: entries.filter(({ key }) => key.startsWith("v1/event_channels/")),
  };
}

/** Both workers, by the ids in their `generate` keys. */
function workers(folder: string): string[] {
  const ids = readKeys(folder).instances.map(({ key }) => workerIdFromHex(key.split(/[/:]/).at(-1)!)!);
  assert.equal(ids.length, 2);
  return ids;
}
