import assert from "node:assert/strict";
import { ForwardPasses } from "../../bench/fleet/forward_pass.ts";
import { publishingWorker } from "../../bench/fleet/publishers.ts";
import { ReplyBlock } from "../../bench/fleet/reply_block.ts";
import { fleetWorker, replyText } from "../../bench/fleet/replies.ts";
import { parseZmqFrames } from "../../lib/dynamo/event_envelope.ts";
import { parseForwardPass } from "../../lib/dynamo/forward_pass.ts";
import { greeting, ZmtpReader } from "../../lib/transport/zmtp.ts";

/** The names of all fields, and texts and numbers as their kinds. */
function shape(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  if (Array.isArray(value)) return value.map(shape);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)]));
}

for (const release of ["0.1.1", "0.6.0"] as const) {
  Deno.test(`a reply of the fleet has the fields of a real worker of ${release}`, async () => {
    // Of the real workers' records those without speculative decoding are played.
    const capture = release === "0.1.1"
      ? "0.1.1/worker/stats-reply-1.json"
      : "0.6.0/worker/stats-reply-2.json";
    const url = new URL(`../testdata/captures/${capture}`, import.meta.url);
    const real = JSON.parse(await Deno.readTextFile(url));
    const withLoad = real.endpoints.filter(({ data }: { data: unknown }) => data !== null);
    const played = JSON.parse(replyText(3, { release, turn: 0 }));
    assert.deepEqual(shape(played), shape({ ...real, endpoints: withLoad }));
  });

  Deno.test(`workers of ${release} have other numbers at each turn, and the same names`, () => {
    const record = (turn: number) => JSON.parse(replyText(3, { release, turn }));
    assert.notDeepEqual(record(0).endpoints[0].data, record(1).endpoints[0].data);
    assert.equal(record(0).endpoints[0].subject, record(1).endpoints[0].subject);
    assert.notEqual(record(0).id, JSON.parse(replyText(4, { release, turn: 0 })).id);
  });
}

Deno.test("ten thousand workers have ten thousand ids", () => {
  assert.equal(new Set(Array.from({ length: 10_000 }, (_, n) => fleetWorker(n))).size, 10_000);
});

Deno.test("a block of replies goes to whatever subject, as NATS' wire has it", () => {
  const block = new ReplyBlock(["one", "twoé"]);
  for (const subject of ["_INBOX.a.1", "_INBOX.b.2", "_INBOX.longer.10"]) {
    assert.equal(
      new TextDecoder().decode(block.to(subject)),
      `PUB ${subject} 3\r\none\r\nPUB ${subject} 5\r\ntwoé\r\n`,
    );
  }
  assert.equal(block.replyBytes, 4);
});

Deno.test("forward passes count up, in frames and envelope, with other numbers each", () => {
  const { worker, publisher } = publishingWorker(7);
  const passes = new ForwardPasses({ worker, publisher, most: 3 });
  const reader = new ZmtpReader({ maxMessageBytes: 1_000 });
  const received = [greeting(), passes.next(3).slice(), passes.next(1).slice()].flatMap((
    bytes,
  ) => [...reader.read(bytes)]);
  const events = received.flatMap((each) => each.kind === "message" ? [parseZmqFrames(each.frames)] : []);
  const first = events[0]!.sequence;
  assert.deepEqual(events.map(({ sequence }) => sequence - first), [0, 1, 2, 3]);
  assert.ok(events.every((event) => event.publisher === publisher));
  const said = events.map((event) => parseForwardPass(event));
  assert.ok(said.every((pass) => pass.worker === worker));
  assert.equal(new Set(said.map(({ running }) => running)).size, 4);
  assert.equal(passes.sent, 4);
});
