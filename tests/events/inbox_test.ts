import assert from "node:assert/strict";
import { encode } from "@msgpack/msgpack";
import { Inbox, type Message } from "../../lib/events/inbox.ts";
import { at } from "../helpers/fleet_steps.ts";

interface Event {
  readonly publisher?: bigint;
  readonly sequence: number;
  readonly worker?: bigint | string;
  readonly dpRank?: number;
}

function body({ publisher = 7n, sequence, worker = 2n ** 63n, dpRank = 0 }: Event): Uint8Array {
  const payload = encode({ worker_id: worker, dp_rank: dpRank, kv_used_blocks: sequence }, {
    useBigInt64: true,
  });
  const envelope = { publisher_id: publisher, sequence, published_at: 0n, topic: "kv_metrics", payload };
  return encode(envelope, { useBigInt64: true });
}

function frames(event: Event): Uint8Array[] {
  const u64 = (value: bigint) => new Uint8Array(new BigUint64Array([value]).buffer).toReversed();
  return [
    new TextEncoder().encode("kv_metrics"),
    u64(event.publisher ?? 7n),
    u64(BigInt(event.sequence)),
    body(event),
  ];
}

/** What is left of these for reading, with its place, and what is counted. */
function put(messages: readonly Message[]) {
  const inbox = new Inbox();
  messages.forEach((data, index) => inbox.put({ at: at(index), data }));
  const { messages: kept, heard, missed, refused } = inbox.take();
  assert.ok(inbox.isEmpty);
  return { kept: kept.map(({ at: { monotonicMs } }) => monotonicMs), heard, missed, refused };
}

const FORMS: readonly (readonly [name: string, encoded: (event: Event) => Message])[] = [
  ["NATS", body],
  ["ZMQ", frames],
];

for (const [name, encoded] of FORMS) {
  Deno.test(`of each worker and rank the newest is kept that came over ${name}`, () => {
    const events = [
      { sequence: 0 },
      { sequence: 1, dpRank: 1 },
      { sequence: 2, worker: 9n },
      { sequence: 3, dpRank: 300 },
      { sequence: 4, worker: "9223372036854775808" },
      { sequence: 5 },
      { sequence: 6, worker: 9n },
    ];
    assert.deepEqual(put(events.map((event) => encoded(event))), {
      kept: [5, 1, 6, 3, 4],
      heard: 7,
      missed: 0,
      refused: 0,
    });
  });

  Deno.test(`gaps in what a publisher numbered are counted over ${name}`, () => {
    const events = [
      { sequence: 5 },
      { sequence: 8 },
      { sequence: 8 },
      { sequence: 0 },
      { sequence: 300 },
      { sequence: 70_000 },
      { sequence: 70_001 },
    ];
    assert.deepEqual(put(events.map((event) => encoded(event))).missed, 2 + 299 + 69_699);
  });

  Deno.test(`gaps are counted over ${name} for each publisher apart`, () => {
    const events = [
      { sequence: 1, publisher: 2n ** 64n - 1n },
      { sequence: 7, publisher: 2n ** 64n - 3n },
      { sequence: 2, publisher: 2n ** 64n - 1n },
      { sequence: 9, publisher: 2n ** 64n - 3n },
    ];
    assert.deepEqual(put(events.map((event) => encoded(event))).missed, 1);
  });
}

Deno.test("what a router says of a worker on NATS takes nothing from what the worker says", () => {
  const own = body({ sequence: 1, publisher: 2n ** 63n });
  const router = body({ sequence: 1, publisher: 4n });
  assert.deepEqual(put([own, router, router]).kept, [0, 2]);
});

Deno.test("what cannot be told apart is kept whole", () => {
  const json = new TextEncoder().encode('{"worker":1}');
  assert.deepEqual(put([json, json, new Uint8Array(), Array(4).fill(new Uint8Array([1]))]), {
    kept: [0, 1, 2, 3],
    heard: 4,
    missed: 0,
    refused: 0,
  });
});

Deno.test("frames that are no event's are counted, and not kept", () => {
  const empty = Array(900).fill(new Uint8Array());
  assert.deepEqual(put([[], empty, empty]), { kept: [], heard: 3, missed: 0, refused: 3 });
});

Deno.test("a number far beyond the one before begins anew", () => {
  const far = (sequence: number) => frames({ sequence });
  assert.equal(put([far(1), far(2 ** 50), far(2 ** 50 + 2)]).missed, 1);
});

Deno.test("no more bytes are kept than a program can hold", () => {
  const large = new Uint8Array(1024 * 1024);
  const { kept, heard } = put(Array.from({ length: 100 }, () => large));
  assert.deepEqual([kept.length, heard], [64, 100]);
});

Deno.test("on one socket too, what a router says of a worker takes nothing from what the worker says", () => {
  assert.deepEqual(put([frames({ sequence: 1 }), frames({ sequence: 1, publisher: 4n })]).kept, [0, 1]);
});

Deno.test("what is dropped counts as heard", () => {
  const inbox = new Inbox();
  inbox.put({ at: at(0), data: body({ sequence: 1 }) });
  inbox.drop();
  assert.ok(!inbox.isEmpty);
  assert.deepEqual(inbox.take(), { messages: [], heard: 1, missed: 0, refused: 0 });
});

Deno.test("of more than can be kept until the next taking the newest are kept, and all are counted", () => {
  const { kept, heard } = put(Array.from({ length: 10_000 }, () => new Uint8Array([1])));
  assert.equal(heard, 10_000);
  assert.ok(kept.length >= 2_048 && kept.length <= 4_096, `${kept.length}`);
  assert.equal(kept.at(-1), 9_999);
});
