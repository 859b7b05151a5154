import assert from "node:assert/strict";
import {
  type EventChannel,
  eventChannelPrefixes,
  parseEventChannel,
} from "../../lib/dynamo/event_channel.ts";
import {
  type EventEnvelope,
  parseEnvelope,
  parseZmqFrames,
  peekNumbering,
} from "../../lib/dynamo/event_envelope.ts";
import { EventError } from "../../lib/dynamo/event_error.ts";
import { parseFileName } from "../../lib/dynamo/file_name.ts";
import { parseForwardPass } from "../../lib/dynamo/forward_pass.ts";
import { parseHitRateEnvelope } from "../../lib/dynamo/hit_rate.ts";
import { instanceKeyPrefix, parseInstanceKey } from "../../lib/dynamo/instance_key.ts";
import { parseInstanceValue } from "../../lib/dynamo/instance_value.ts";
import { parseKvMetrics } from "../../lib/dynamo/kv_metrics.ts";
import { modelCardPrefix, parseModelCard } from "../../lib/dynamo/model_card.ts";
import { decodeMsgpack } from "../../lib/dynamo/msgpack.ts";
import { type WorkerId, workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import { exactJson, listNames, readLines, withTextIntegers } from "../helpers/captured_events.ts";

// Whole deployments under load, each of a frontend with a KV router and two mockers of 512 blocks and 4 slots.

const CAPTURES = new URL("../testdata/modern/", import.meta.url);
const TARGET = { namespace: "dynamo", component: "backend", endpoint: "generate" };

interface Registrations {
  /** How many channels of each topic there are. */
  readonly channels: Readonly<Record<string, number>>;
  readonly transport: "nats" | "zmq";
  /** How a channel's owner is known. */
  readonly owner: "lease = publisher" | "lease" | "publisher" | "unknown";
  readonly isEndpointScoped: boolean;
  readonly workers: number;
  readonly cards: Readonly<Record<string, unknown>>;
  readonly metricsPorts: readonly number[];
}

const CARD = { ranks: 1, totalBlocks: 512, maxSeqs: 4, blockSize: 16, model: "tiny" };
const CARD_WITH_START = { ...CARD, startRank: 0 };

/** What each file says: for events, how many lines of each kind. */
const EXPECTED: Readonly<Record<string, Registrations | Readonly<Record<string, number>>>> = {
  "0.9.1-default/etcd.json": {
    channels: { "kv-hit-rate": 1, "kv_metrics": 3, "active_sequences_events": 1 },
    transport: "nats",
    owner: "lease = publisher",
    isEndpointScoped: false,
    workers: 2,
    cards: CARD,
    metricsPorts: [],
  },
  "0.9.1-default/nats-events.jsonl": { "own": 3, "router": 4, "kv-hit-rate": 4, "no envelope": 2 },
  "1.2.1-default/etcd.json": {
    channels: { "kv_metrics": 3, "active_sequences_events": 1, "forward-pass-metrics": 2, "kv-events": 2 },
    transport: "nats",
    owner: "lease = publisher",
    isEndpointScoped: false,
    workers: 2,
    cards: CARD_WITH_START,
    metricsPorts: [],
  },
  "1.2.1-default/nats-events.jsonl": { "own": 3, "router": 4, "forward-pass-metrics": 4, "kv-events": 4 },
  "1.2.1-event-plane-zmq/etcd.json": {
    channels: { "kv_metrics": 3, "active_sequences_events": 1, "forward-pass-metrics": 2, "kv-events": 2 },
    transport: "zmq",
    owner: "publisher",
    isEndpointScoped: false,
    workers: 0,
    cards: CARD_WITH_START,
    metricsPorts: [],
  },
  "1.2.1-event-plane-zmq/zmq-events.jsonl": {
    "own": 8,
    "router": 4,
    "forward-pass-metrics": 4,
    "kv-events": 4,
  },
  "1.6.1-default/etcd.json": {
    channels: { "active_sequences_events": 2, "forward-pass-metrics": 2, "kv-events": 2, "kv_metrics": 2 },
    transport: "zmq",
    owner: "lease",
    isEndpointScoped: true,
    workers: 2,
    cards: { ...CARD_WITH_START, workerType: "aggregated" },
    metricsPorts: [28081, 28082],
  },
  "1.6.1-default/zmq-events.jsonl": {
    "own": 8,
    "forward-pass-metrics": 4,
    "kv-events": 4,
    "active_sequences_events": 4,
  },
  "1.6.1-file-discovery/files.json": {
    channels: { "active_sequences_events": 2, "forward-pass-metrics": 2, "kv-events": 2, "kv_metrics": 2 },
    transport: "zmq",
    owner: "unknown",
    isEndpointScoped: true,
    workers: 2,
    cards: { ...CARD_WITH_START, workerType: "aggregated" },
    metricsPorts: [28081, 28082],
  },
};

Deno.test("every captured file of whole deployments is expected", () => {
  const files = listNames(CAPTURES).flatMap((folder) =>
    listNames(new URL(`${folder}/`, CAPTURES)).map((file) => `${folder}/${file}`)
  );
  assert.deepEqual(files, Object.keys(EXPECTED));
});

for (const [file, expected] of Object.entries(EXPECTED)) {
  Deno.test(`the capture ${file} is read as it is written`, () => {
    if (file.endsWith(".jsonl")) checkEvents(file, expected as Readonly<Record<string, number>>);
    else checkRegistrations(file, expected as Registrations);
  });
}

/** One line: the bytes, and what is in them by another decoder (integers as text). */
interface CapturedEvent {
  readonly subject?: string;
  readonly endpoint?: string;
  readonly body?: Uint8Array;
  readonly frames?: readonly Uint8Array[];
  readonly decoded?: {
    readonly publisher_id: string;
    readonly sequence: string;
    readonly published_at: string;
    readonly topic: string;
    readonly payload: Readonly<Record<string, unknown>>;
  };
}

function checkEvents(file: string, expected: Readonly<Record<string, number>>): void {
  const channels = readChannels(file);
  const kinds: Record<string, number> = {};
  for (const event of readEvents(file)) {
    const kind = checkEvent(event, channels);
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  assert.deepEqual(kinds, expected);
}

function checkEvent(event: CapturedEvent, channels: readonly EventChannel[]): string {
  const { decoded, frames, body } = event;
  if (decoded === undefined) {
    assert.throws(() => parseEnvelope(body!), EventError);
    return "no envelope";
  }
  const envelope = frames === undefined ? parseEnvelope(body!) : parseZmqFrames(frames);
  const { publisher, sequence, topic, payload } = envelope;
  assert.deepEqual(
    [publisher, String(sequence), topic],
    [decoded.publisher_id, decoded.sequence, decoded.topic],
  );
  assert.deepEqual(peekNumbering(frames ?? body!), { publisher: BigInt(publisher), sequence });
  assert.deepEqual(withTextIntegers(decodeMsgpack(payload)), decoded.payload);
  if (frames !== undefined) checkFirstFrames(frames, envelope);
  checkChannel(event, envelope, channels);
  return checkPayload(envelope, decoded.payload);
}

/** The first three frames say what the envelope says. */
function checkFirstFrames(
  [topic, publisher, sequence]: readonly Uint8Array[],
  envelope: EventEnvelope,
): void {
  assert.equal(new TextDecoder().decode(topic), envelope.topic);
  assert.equal(workerIdFromHex(publisher!.toHex()), envelope.publisher);
  assert.equal(workerIdFromHex(sequence!.toHex()), String(envelope.sequence));
}

/** The event came where a channel of etcd says that it comes. */
function checkChannel(
  event: CapturedEvent,
  envelope: EventEnvelope,
  channels: readonly EventChannel[],
): void {
  const channel = channels.find(({ topic, publisher }) =>
    topic === envelope.topic && publisher === envelope.publisher
  );
  assert.ok(channel !== undefined, `${envelope.topic} of ${envelope.publisher} has no channel`);
  const { transport } = channel;
  if (transport.kind === "nats") assert.equal(transport.subject, event.subject);
  else assert.equal(`tcp://${transport.host}:${transport.port}`, event.endpoint);
}

function checkPayload(envelope: EventEnvelope, decoded: Readonly<Record<string, unknown>>): string {
  const { worker_id, dp_rank } = decoded;
  switch (envelope.topic) {
    case "kv_metrics": {
      const { worker, dpRank, ...said } = parseKvMetrics(envelope);
      assert.deepEqual([worker, String(dpRank)], [worker_id, dp_rank]);
      const { active_decode_blocks: blocks, active_prefill_tokens: tokens, kv_used_blocks: used } = decoded;
      assert.deepEqual(
        said,
        said.kind === "own" ? { kind: "own", usedBlocks: Number(used ?? blocks) } : {
          kind: "router",
          router: envelope.publisher,
          activeDecodeBlocks: Number(blocks),
          activePrefillTokens: Number(tokens),
        },
      );
      return said.kind;
    }
    case "forward-pass-metrics": {
      const { worker, dpRank, running, waiting } = parseForwardPass(envelope);
      const { scheduled_requests: scheduled, queued_requests: queued } = decoded as Record<string, Requests>;
      assert.deepEqual([worker, String(dpRank), running, waiting], [
        worker_id,
        dp_rank,
        requests(scheduled!),
        requests(queued!),
      ]);
      return envelope.topic;
    }
    case "kv-hit-rate": {
      const { isl_blocks, overlap_blocks } = decoded;
      const { worker, islBlocks, overlapBlocks } = parseHitRateEnvelope(envelope);
      assert.deepEqual([worker, String(islBlocks), String(overlapBlocks)], [
        worker_id,
        isl_blocks,
        overlap_blocks,
      ]);
      return envelope.topic;
    }
    default: // Nothing of these is read.
      for (const read of [parseKvMetrics, parseForwardPass, parseHitRateEnvelope]) {
        assert.throws(() => read(envelope), EventError);
      }
      return envelope.topic;
  }
}

type Requests = Readonly<Record<"num_prefill_requests" | "num_decode_requests", string>>;

function requests({ num_prefill_requests, num_decode_requests }: Requests): number {
  return Number(num_prefill_requests) + Number(num_decode_requests);
}

function checkRegistrations(file: string, expected: Registrations): void {
  const entries = readEntries(file);
  const registered = entries.filter(({ key }) => key.startsWith("v1/event_channels/"));
  const topics: Record<string, number> = {};
  for (const { key, value, lease } of registered) {
    const channel = parseEventChannel({ key, value, lease });
    assert.ok(channel !== undefined, key);
    topics[channel.topic] = (topics[channel.topic] ?? 0) + 1;
    assert.equal(channel.key, key);
    assert.ok(eventChannelPrefixes("dynamo").some((prefix) => key.startsWith(prefix)));
    assert.ok(!eventChannelPrefixes("dyn").some((prefix) => key.startsWith(prefix)));
    checkScope(channel, expected);
    checkOwner(channel, lease, expected);
    assert.ok(value.includes(`"instance_id":${channel.publisher},`));
    assert.equal(channel.transport.kind, expected.transport);
    assert.ok(
      channel.transport.kind === "nats"
        ? value.includes(`"${channel.transport.subject.slice(0, -`.${channel.topic}`.length)}"`)
        : value.includes(`"tcp://${channel.transport.host}:${channel.transport.port}"`),
    );
  }
  assert.deepEqual(topics, expected.channels);

  const prefix = instanceKeyPrefix("v1", TARGET);
  const instances = entries.filter(({ key }) => key.startsWith(prefix));
  for (const { value } of instances) {
    assert.equal(parseInstanceValue(value).host, "192.0.2.2");
  }
  const workers = instances.map(({ key }) => parseInstanceKey(key, prefix)!);
  assert.equal(workers.length, expected.workers);
  const cards = entries.filter(({ key }) => key.startsWith("v1/mdc/")).map((entry) => {
    assert.ok(entry.key.startsWith(modelCardPrefix(TARGET)));
    const card = parseModelCard(entry);
    assert.ok(card !== undefined, entry.key);
    const { worker, metricsUrl, releases: _, ...rest } = card;
    assert.deepEqual(rest, expected.cards);
    return { worker, metricsUrl };
  });
  assert.deepEqual(cards.map(({ worker }) => worker).toSorted(), workers.toSorted());
  assert.deepEqual(
    cards.flatMap(({ metricsUrl }) => metricsUrl ?? []),
    expected.metricsPorts.map((port) => `http://192.0.2.2:${port}/metrics`),
  );
}

function checkScope(channel: EventChannel, { isEndpointScoped }: Registrations): void {
  const { key, topic, namespace, component, endpoint, publisher } = channel;
  const id = BigInt(publisher).toString(16);
  assert.equal(
    key,
    isEndpointScoped
      ? `v1/event_channels/namespace/${namespace}/component/${component}/endpoint/${endpoint}/topic/${topic}/${id}`
      : `v1/event_channels/${namespace}/${component ?? ""}/${topic}/${id}`,
  );
}

function checkOwner(
  { owner, publisher }: EventChannel,
  lease: WorkerId | undefined,
  expected: Registrations,
): void {
  const known = { "lease = publisher": lease, "lease": lease, "publisher": publisher, "unknown": undefined };
  assert.equal(owner, known[expected.owner]);
  assert.equal(lease === undefined, expected.owner === "publisher" || expected.owner === "unknown");
  assert.equal(owner === publisher, expected.owner === "lease = publisher" || expected.owner === "publisher");
}

interface Entry {
  readonly key: string;
  readonly value: string;
  readonly lease: WorkerId | undefined;
}

/** Keys of etcd, or what the files of file discovery stand for. */
function readEntries(file: string): readonly Entry[] {
  const { kvs, files } = JSON.parse(Deno.readTextFileSync(new URL(file, CAPTURES))) as {
    kvs?: { key: string; value: string; lease_hex?: string }[];
    files?: { file: string; content: string }[];
  };
  return [
    ...(kvs ?? []).map(({ key, value, lease_hex }) => ({
      key,
      value,
      lease: lease_hex === undefined ? undefined : workerIdFromHex(lease_hex),
    })),
    ...(files ?? []).map(({ file, content }) => {
      const key = parseFileName(file);
      assert.ok(key !== undefined && !key.includes("%"), file);
      return { key, value: content, lease: undefined };
    }),
  ];
}

function readChannels(file: string): readonly EventChannel[] {
  return readEntries(`${file.split("/")[0]}/etcd.json`).flatMap((entry) => parseEventChannel(entry) ?? []);
}

function readEvents(file: string): readonly CapturedEvent[] {
  return readLines(new URL(file, CAPTURES)).map((line) => {
    const { subject, endpoint, body_hex, frames_hex, decoded } = exactJson(line) as {
      subject?: string;
      endpoint?: string;
      body_hex?: string;
      frames_hex?: string[];
      decoded?: unknown;
    };
    return {
      ...(subject !== undefined && { subject }),
      ...(endpoint !== undefined && { endpoint }),
      ...(body_hex !== undefined && { body: Uint8Array.fromHex(body_hex) }),
      ...(frames_hex !== undefined && { frames: frames_hex.map((hex) => Uint8Array.fromHex(hex)) }),
      ...(decoded !== undefined &&
        { decoded: withTextIntegers(decoded) as NonNullable<CapturedEvent["decoded"]> }),
    };
  });
}

const ZMQ_FILES = Object.keys(EXPECTED).filter((file) => file.endsWith("/zmq-events.jsonl"));

Deno.test("a captured ZMQ message whose last frame is cut off at any byte is refused", () => {
  for (const { frames } of ZMQ_FILES.flatMap(readEvents)) {
    const [topic, publisher, sequence, last] = frames!;
    for (let length = 0; length < last!.length; length++) {
      assert.throws(
        () => parseZmqFrames([topic!, publisher!, sequence!, last!.subarray(0, length)]),
        (error) => error instanceof EventError && error.problem === "not_msgpack",
      );
    }
  }
});

Deno.test("a captured envelope cut off at any byte is no MessagePack", () => {
  for (const { frames } of ZMQ_FILES.flatMap(readEvents)) {
    const envelope = frames![3]!.subarray(5);
    for (let length = 0; length < envelope.length; length++) {
      assert.throws(
        () => parseEnvelope(envelope.subarray(0, length)),
        (error) => error instanceof EventError && error.problem === "not_msgpack",
      );
    }
  }
});

Deno.test("a captured ZMQ message with any byte changed is read or refused, and nothing else happens", () => {
  for (const { frames } of ZMQ_FILES.flatMap(readEvents)) {
    const [topic, publisher, sequence, last] = frames!;
    const changed = last!.slice();
    for (let at = 0; at < changed.length; at++) {
      const was = changed[at]!;
      for (const byte of [was ^ 0xff, 0x00, 0xc1, 0xdf]) {
        changed[at] = byte;
        try {
          const envelope = parseZmqFrames([topic!, publisher!, sequence!, changed]);
          for (const read of [parseKvMetrics, parseForwardPass]) tryTo(() => read(envelope));
        } catch (error) {
          assert.ok(error instanceof EventError, `byte ${at} as ${byte}: ${error}`);
        }
      }
      changed[at] = was;
    }
  }
});

function tryTo(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof EventError, String(error));
  }
}
