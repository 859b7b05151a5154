import assert from "node:assert/strict";
import { eventChannelRecord, parseEventChannel } from "../../lib/dynamo/event_channel.ts";
import {
  encodeEnvelope,
  eventPayload,
  parseEnvelope,
  parseZmqFrames,
  zmqFrames,
} from "../../lib/dynamo/event_envelope.ts";
import { encodeForwardPass, parseForwardPass } from "../../lib/dynamo/forward_pass.ts";
import { encodeHitRate, hitRateText, parseHitRate, parseHitRateEnvelope } from "../../lib/dynamo/hit_rate.ts";
import {
  encodeKvMetrics,
  kvMetricsLoadText,
  kvMetricsText,
  ownKvMetrics,
  parseKvMetricsJson,
} from "../../lib/dynamo/kv_metrics.ts";
import { modelCardRecord } from "../../lib/dynamo/model_card_text.ts";
import { parseModelCard } from "../../lib/dynamo/model_card.ts";
import { decodeMsgpack, encodeMsgpack, Float64, type MsgpackMap } from "../../lib/dynamo/msgpack.ts";
import { componentEventSubject, endpointEventSubject, eventSubject } from "../../lib/dynamo/subject.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { parseWorkerPage } from "../../lib/dynamo/worker_page.ts";
import { workerPageText } from "../../lib/dynamo/worker_page_text.ts";
import { listNames, readLines } from "../helpers/captured_events.ts";

// What is written, held against what real programs wrote: byte for byte wherever the capture says all that is in it.

const TESTDATA = new URL("../testdata/", import.meta.url);
const TARGET = { namespace: "dynamo", component: "backend", endpoint: "generate" };
const WORKER = "2228897039435551493" as WorkerId;

Deno.test("envelopes and frames are written as they were captured, byte for byte", () => {
  const written = { nats: 0, zmq: 0 };
  for (const { body, frames } of capturedEvents()) {
    if (frames !== undefined) {
      const published = publishedIn(frames[3]!.subarray(5));
      assert.deepEqual(hex(zmqFrames(parseZmqFrames(frames), published)), hex(frames));
      written.zmq++;
    } else if ((body![0]! & 0xf0) === 0x80) {
      assert.equal(encodeEnvelope(parseEnvelope(body!), publishedIn(body!)).toHex(), body!.toHex());
      written.nats++;
    }
  }
  assert.ok(written.nats > 30 && written.zmq > 30, JSON.stringify(written));
});

Deno.test("kv_metrics and kv-hit-rate are written as they were captured, byte for byte", () => {
  const written: Record<string, number> = {};
  for (const envelope of capturedEnvelopes()) {
    const { topic, payload } = envelope;
    if (topic === "kv_metrics") {
      const { worker_id, dp_rank, active_decode_blocks, active_prefill_tokens, kv_used_blocks } =
        eventPayload(
          envelope,
          topic,
        );
      const fields = {
        worker: String(worker_id) as WorkerId,
        dpRank: dp_rank as number,
        activeDecodeBlocks: active_decode_blocks as number | null,
        activePrefillTokens: active_prefill_tokens as number | null,
        kvUsedBlocks: kv_used_blocks as number | null | undefined,
      };
      assert.equal(encodeKvMetrics(fields).toHex(), payload.toHex());
    } else if (topic === "kv-hit-rate") {
      const event = parseHitRateEnvelope(envelope);
      assert.equal(encodeHitRate(event, { dpRank: 0 }).toHex(), payload.toHex());
    } else continue;
    written[topic] = (written[topic] ?? 0) + 1;
  }
  assert.ok(written["kv_metrics"]! > 20 && written["kv-hit-rate"] === 4, JSON.stringify(written));
});

Deno.test("what a worker says of its blocks is where the workers of each release say it", () => {
  const own = { worker: WORKER, dpRank: 0, usedBlocks: 28 };
  const said = (hasUsedBlocks: boolean) => {
    const { worker: _, dpRank: __, ...fields } = ownKvMetrics(own, { hasUsedBlocks });
    return fields;
  };
  assert.deepEqual(said(false), {
    activeDecodeBlocks: 28,
    activePrefillTokens: null,
    kvUsedBlocks: undefined,
  });
  assert.deepEqual(said(true), { activeDecodeBlocks: null, activePrefillTokens: null, kvUsedBlocks: 28 });
  const captured = capturedEvents().flatMap(({ frames }) => frames ? [frames] : [])
    .find((frames) => frames[3]!.toHex().endsWith("ae6b765f757365645f626c6f636b731c"))!;
  const { payload } = parseZmqFrames(captured);
  const worker = String(eventPayload(parseZmqFrames(captured), "kv_metrics").worker_id) as WorkerId;
  assert.equal(
    encodeKvMetrics(ownKvMetrics({ ...own, worker }, { hasUsedBlocks: true })).toHex(),
    payload.toHex(),
  );
});

Deno.test("a forward pass has the fields, their order and their kinds of a captured one", () => {
  const captured = capturedEnvelopes().filter(({ topic }) => topic === "forward-pass-metrics");
  assert.ok(captured.length >= 8);
  for (const envelope of captured) {
    const real = decodeMsgpack(envelope.payload) as MsgpackMap;
    assert.equal(encodeMsgpack(withFloats(real)).toHex(), envelope.payload.toHex());
    const pass = parseForwardPass(envelope);
    const own = encodeForwardPass(pass, { counter: real.counter_id as number, wallSeconds: 0.016 });
    assert.deepEqual(parseForwardPass({ ...envelope, payload: own }), pass);
    const decoded = decodeMsgpack(own) as MsgpackMap;
    assert.deepEqual(paths(decoded), paths(real));
    // The whole numbers among the fractions are floats as well.
    assert.equal(encodeMsgpack(withFloats(decoded)).toHex(), own.toHex());
  }
});

Deno.test("events in JSON are written as they were captured", () => {
  const written: Record<string, number> = {};
  for (const release of ["0.6.0", "0.7.1", "0.8.1"]) {
    for (const line of readLines(new URL(`captures/${release}/worker/events.jsonl`, TESTDATA))) {
      const { subject, body } = JSON.parse(line) as { subject: string; body: string };
      if (subject === "namespace.dynamo.kv_metrics") {
        const { worker, dpRank, ...said } = parseKvMetricsJson(body);
        if (said.kind === "load") assert.equal(kvMetricsLoadText(worker, said.load), body);
        else {
          assert.ok(said.kind === "own");
          const own = { worker, dpRank, usedBlocks: said.usedBlocks };
          assert.equal(kvMetricsText(ownKvMetrics(own, { hasUsedBlocks: false })), body);
        }
      } else if (subject === "namespace.dynamo.kv-hit-rate") {
        assert.equal(hitRateText(parseHitRate(body), release === "0.6.0" ? {} : { dpRank: 0 }), body);
      } else continue;
      written[`${release} ${subject.split(".").at(-1)}`] = 1;
    }
  }
  assert.deepEqual(Object.keys(written).toSorted(), [
    "0.6.0 kv-hit-rate",
    "0.6.0 kv_metrics",
    "0.7.1 kv-hit-rate",
    "0.7.1 kv_metrics",
    "0.8.1 kv_metrics",
  ]);
});

Deno.test("the keys and values of event channels are written as they were captured, in both layouts", () => {
  let written = 0;
  for (const { key, value } of capturedKeys()) {
    const channel = parseEventChannel({ key, value, lease: undefined });
    if (channel === undefined) continue;
    assert.deepEqual(eventChannelRecord(channel), { key, value });
    if (channel.transport.kind === "nats") {
      const { namespace, component = "", endpoint = "", topic, transport } = channel;
      const target = { namespace, component, endpoint };
      const subject = endpoint !== ""
        ? endpointEventSubject(target, topic)
        : component !== ""
        ? componentEventSubject(target, topic)
        : eventSubject(namespace, topic);
      assert.equal(subject, transport.subject);
    }
    written++;
  }
  assert.ok(written > 40, `${written}`);
});

Deno.test("a channel of a random publisher and one on an IPv6 host are read as they were meant", () => {
  const channel = {
    topic: "kv_metrics",
    namespace: "ns",
    component: "c",
    endpoint: undefined,
    publisher: "17235038101677628423" as WorkerId,
    transport: { kind: "zmq", host: "2001:db8::1", port: 5555 },
  } as const;
  const record = eventChannelRecord(channel);
  const { releases: _, ...read } = parseEventChannel({ ...record, lease: undefined })!;
  assert.deepEqual(read, { ...channel, key: record.key, owner: channel.publisher });
});

Deno.test("a model card is read as it was meant, with the page where the release names it", () => {
  const read = {
    worker: WORKER,
    ranks: 2,
    startRank: 1,
    totalBlocks: 512,
    maxSeqs: 4,
    blockSize: 16,
    model: "tiny",
  };
  const card = { ...read, workerType: "decode" } as const;
  const origin = { pageOrigin: "http://192.0.2.2:28081" };
  const reread = (withWorkerType: boolean, page: { pageOrigin?: string }) => {
    const record = modelCardRecord(TARGET, { ...card, ...page }, { withStartRank: true, withWorkerType });
    const { releases: _, ...rest } = parseModelCard(record)!;
    return rest;
  };
  const typed = { ...read, workerType: "decode" };
  assert.deepEqual(reread(true, origin), { ...typed, metricsUrl: "http://192.0.2.2:28081/metrics" });
  assert.deepEqual(reread(true, {}), typed);
  assert.deepEqual(reread(false, origin), read);
});

const LOAD = {
  shape: "nested",
  activeSlots: 3,
  totalSlots: 100,
  activeBlocks: 40,
  totalBlocks: 1000,
  requestsWaiting: 2,
  cacheUsageRatio: 0.5,
  prefixHitRatio: 0.25,
} as const;

/** What the page has, a capture with lines of the same families, and what is read of ours. */
const PAGES = [
  [
    { withKvStats: true, withWorkerId: false, withVllm: false },
    "0.7.1/worker.txt",
    [{
      dpRank: "engine",
      inFlight: 5,
      usedBlocks: 40,
      totalBlocks: 1000,
      cacheUsageRatio: 0.5,
      prefixHitRatio: 0.25,
    }],
  ],
  [
    { withKvStats: false, withWorkerId: false, withVllm: false },
    "0.9.1/worker1.under-load.txt",
    [{ dpRank: "engine", inFlight: 5 }],
  ],
  [
    { withKvStats: false, withWorkerId: true, withVllm: false },
    "1.2.1/worker1.under-load.txt",
    [{ dpRank: "engine", worker: WORKER, inFlight: 5 }],
  ],
  [
    { withKvStats: false, withWorkerId: true, withVllm: true },
    "1.6.1/worker1.under-load.txt",
    [
      { dpRank: "engine", worker: WORKER, engine: "vllm", inFlight: 5 },
      { dpRank: 0, worker: WORKER, engine: "vllm", cacheUsageRatio: 0.04, running: 3, waiting: 2 },
    ],
  ],
] as const;

for (const [form, file, expected] of PAGES) {
  Deno.test(`a page in the form of ${file} is read as it was meant, and has its lines but for numbers and names`, () => {
    const text = workerPageText(form, { target: TARGET, worker: WORKER, model: "tiny", load: LOAD });
    assert.deepEqual(parseWorkerPage(text).numbers, expected);
    const captured = Deno.readTextFileSync(new URL(`worker_pages/${file}`, TESTDATA)).split("\n").map(plain);
    for (const line of text.trimEnd().split("\n")) assert.ok(captured.includes(plain(line)), line);
  });
}

Deno.test("names that the text format escapes are escaped on a page", () => {
  const form = { withKvStats: true, withWorkerId: false, withVllm: false };
  const target = { ...TARGET, component: 'a"\\b' };
  const text = workerPageText(form, { target, worker: WORKER, model: "tiny", load: LOAD });
  assert.ok(text.includes('{dynamo_component="a\\"\\\\b",dynamo_namespace="dynamo"} 40\n'));
});

/** A line of a page without its value, its worker and the names of the target. */
function plain(line: string): string {
  return line.startsWith("#")
    ? line
    : line.replace(/ \S+$/, "").replaceAll(/(component|namespace|worker_id)="[^"]*"/g, '$1="…"');
}

interface CapturedEvent {
  readonly body?: Uint8Array;
  readonly frames?: readonly Uint8Array[];
}

/** All captured messages that are binary, and some that are JSON. */
function capturedEvents(): readonly CapturedEvent[] {
  return folders().flatMap((folder) =>
    listNames(folder).filter((file) => file.endsWith("events.jsonl")).flatMap((file) =>
      readLines(new URL(file, folder)).flatMap((line): CapturedEvent[] => {
        const { body_hex, body_b64, frames_hex } = JSON.parse(line) as Record<string, string> & {
          frames_hex?: string[];
        };
        if (frames_hex) return [{ frames: frames_hex.map((frame) => Uint8Array.fromHex(frame)) }];
        if (body_hex !== undefined) return [{ body: Uint8Array.fromHex(body_hex) }];
        return body_b64 === undefined ? [] : [{ body: Uint8Array.fromBase64(body_b64) }];
      })
    )
  );
}

function capturedEnvelopes() {
  return capturedEvents().flatMap(({ body, frames }) => {
    if (frames !== undefined) return [parseZmqFrames(frames)];
    return (body![0]! & 0xf0) === 0x80 ? [parseEnvelope(body!)] : [];
  });
}

function capturedKeys(): readonly { readonly key: string; readonly value: string }[] {
  return folders().flatMap((folder) =>
    listNames(folder).includes("etcd.json")
      ? JSON.parse(Deno.readTextFileSync(new URL("etcd.json", folder))).kvs
      : []
  );
}

function folders(): readonly URL[] {
  const modern = listNames(new URL("modern/", TESTDATA)).map((name) => new URL(`modern/${name}/`, TESTDATA));
  const captures = new URL("captures/", TESTDATA);
  return modern.concat(
    listNames(captures).flatMap((release) =>
      listNames(new URL(`${release}/`, captures)).map((program) =>
        new URL(`${release}/${program}/`, captures)
      )
    ),
  );
}

function publishedIn(envelope: Uint8Array): { publishedAtMs: number } {
  return { publishedAtMs: Number((decodeMsgpack(envelope) as { published_at: bigint }).published_at) };
}

function hex(frames: readonly Uint8Array[]): string[] {
  return frames.map((frame) => frame.toHex());
}

/** With the fields that are fractions on the wire as such, which a decoder of whole numbers cannot tell. */
function withFloats(map: MsgpackMap): MsgpackMap {
  return Object.fromEntries(
    Object.entries(map).map(([name, value]) => {
      if (name.startsWith("var_") || name === "wall_time") return [name, new Float64(value as number)];
      return [name, typeof value === "object" && value !== null ? withFloats(value as MsgpackMap) : value];
    }),
  );
}

function paths(map: MsgpackMap, before = ""): string[] {
  return Object.entries(map).flatMap(([name, value]) => [
    `${before}${name} ${typeof value}`,
    ...(typeof value === "object" && value !== null ? paths(value as MsgpackMap, `${before}${name}.`) : []),
  ]);
}
