import assert from "node:assert/strict";
import {
  encodeCommand,
  encodeMessage,
  errorReason,
  greeting,
  peerSocketType,
  ping,
  pong,
  ready,
  type Received,
  subscription,
  ZmtpReader,
} from "../../lib/transport/zmtp.ts";

const GREETING = "ff00000000000000007f" + "0300" + "4e554c4c" + "00".repeat(16) + "00" + "00".repeat(31);
const READY_PUB = "0419" + "055245414459" + "0b536f636b65742d54797065" + "00000003" + "505542";

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function text(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** All that a reader gives of these chunks, in a form that compares well. */
function readAll(chunks: readonly Uint8Array[], maxMessageBytes = 1_000_000): unknown[] {
  const reader = new ZmtpReader({ maxMessageBytes });
  return chunks.flatMap((chunk) => [...reader.read(chunk)].map(plain));
}

function plain(received: Received): unknown {
  const { kind } = received;
  if (kind === "greeting") return kind;
  if (kind === "command") return [received.name, received.data.toHex()];
  return received.frames.map((frame) => frame.toHex());
}

Deno.test("what is said has the bytes that were captured", () => {
  assert.equal(greeting().toHex(), GREETING);
  assert.equal(ready("PUB").toHex(), READY_PUB);
  assert.equal(subscription("kv").toHex(), "0003016b76");
  assert.equal(subscription("").toHex(), "000101");
  assert.equal(ping().toHex(), "04070450494e470000");
  assert.equal(pong(bytes("0064aabbccdd")).toHex(), "040904504f4e47aabbccdd");
  assert.equal(pong(new Uint8Array(40)).length, 2 + 5 + 16);
  const long = encodeMessage([text("a"), new Uint8Array(256)]);
  assert.equal(long.subarray(0, 12).toHex(), "010161" + "020000000000000100");
  assert.equal(long.length, 12 + 256);
});

const LONG_FRAME = new Uint8Array(300).fill(5);
const STREAM = join(
  greeting(),
  ready("PUB"),
  encodeMessage([text("topic"), text(""), LONG_FRAME, text("x")]),
  encodeCommand("PING", bytes("0000ff")),
  // Commands between the frames of a message.
  bytes("010161"),
  encodeCommand("PING", bytes("0064")),
  encodeCommand("PONG", bytes("")),
  bytes("020000000000000001" + "62"), // A long frame that need not be one.
  encodeMessage([text("")]),
);
const READ = [
  "greeting",
  ["READY", ready("PUB").subarray(8).toHex()],
  [text("topic").toHex(), "", LONG_FRAME.toHex(), "78"],
  ["PING", "0000ff"],
  ["PING", "0064"],
  ["PONG", ""],
  ["61", "62"],
  [""],
];

Deno.test("a stream is read alike wherever it is cut in two", () => {
  for (let at = 0; at <= STREAM.length; at++) {
    assert.deepEqual(readAll([STREAM.subarray(0, at), STREAM.subarray(at)]), READ, `cut at ${at}`);
  }
});

Deno.test("a stream is read alike in pieces of any size", () => {
  for (const size of [1, 2, 3, 7, 64, 65, 300]) {
    const chunks = Array.from(
      { length: Math.ceil(STREAM.length / size) },
      (_, n) => STREAM.subarray(n * size, (n + 1) * size),
    );
    assert.deepEqual(readAll(chunks), READ, `pieces of ${size}`);
  }
});

Deno.test("what was read stays as it is when the chunk is used again", () => {
  const reader = new ZmtpReader({ maxMessageBytes: 1_000 });
  const chunk = STREAM.slice();
  const received = [...reader.read(chunk)];
  chunk.fill(0);
  assert.deepEqual(received.map(plain), READ);
});

Deno.test("what comes before the garbage is given", () => {
  const reader = new ZmtpReader({ maxMessageBytes: 1_000 });
  const received: unknown[] = [];
  assert.throws(() => {
    for (const one of reader.read(join(STREAM, bytes("ff")))) received.push(plain(one));
    for (const one of reader.read(bytes("ff"))) received.push(plain(one));
  }, /^Error: a frame with the flags 255$/);
  assert.deepEqual(received, READ);
});

Deno.test("a message may be as large as is allowed, with all its frames, and no larger", () => {
  const two = (first: number, second: number) =>
    join(greeting(), encodeMessage([new Uint8Array(first), new Uint8Array(second)]));
  assert.equal(readAll([two(600, 400)], 1_000).length, 2);
  assert.throws(() => readAll([two(600, 401)], 1_000), /^Error: a message of more than 1000 bytes$/);
  // The next message counts anew, and a command beside it.
  const twice = join(
    greeting(),
    encodeMessage([new Uint8Array(900)]),
    bytes("010101"),
    encodeCommand("PONG", new Uint8Array(900)),
    bytes("000101"),
  );
  assert.equal(readAll([twice], 1_000).length, 4);
});

Deno.test("what is no ZMTP 3 is refused", () => {
  const changed = (at: number, hex: string) => {
    const stream = join(greeting(), ready("PUB"));
    stream.set(bytes(hex), at);
    return stream;
  };
  const after = (hex: string) => join(greeting(), bytes(hex));
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [text("HTTP/1.1 400 Bad Request\r\n".repeat(4)), /^the peer does not speak ZMTP$/],
    [changed(0, "fe"), /^the peer does not speak ZMTP$/],
    [changed(9, "7e"), /^the peer does not speak ZMTP$/],
    [changed(10, "01"), /^the peer speaks version 1 of ZMTP$/],
    [changed(12, "504c41494e"), /^the peer wants the mechanism PLAIN$/],
    [changed(12, "4355525645"), /^the peer wants the mechanism CURVE$/],
    [after("0800"), /^a frame with the flags 8$/],
    [after("0500"), /^a frame with the flags 5$/],
    [after("0700"), /^a frame with the flags 7$/],
    [after("02" + "ff".repeat(8)), /^a message of more than 1000000 bytes$/],
    [after("06" + "0000000000f42400"), /^a command of more than 1000000 bytes$/],
    [after("0400"), /^a command without a name$/],
    [after("040100"), /^a command without a name$/],
    [after("04020241"), /^a command without a name$/],
    [after("0100".repeat(1_001)), /^a message of more than 1000 frames$/],
  ];
  for (const [stream, message] of cases) {
    assert.throws(() => readAll([stream]), { message });
    assert.throws(() => readAll([...stream].map((byte) => Uint8Array.of(byte))), { message });
  }
});

Deno.test("a READY says the kind of the peer's socket, among other properties", () => {
  const property = (name: string, value: string) =>
    join(Uint8Array.of(name.length), text(name), Uint8Array.of(0, 0, 0, value.length), text(value));
  assert.equal(peerSocketType(property("Socket-Type", "PUB")), "PUB");
  assert.equal(peerSocketType(join(property("Identity", ""), property("SOCKET-TYPE", "XPUB"))), "XPUB");
  const whole = join(property("Identity", "me"), property("Socket-Type", "PUB"));
  assert.equal(peerSocketType(join(Uint8Array.of(9), whole).subarray(1)), "PUB");
  assert.throws(() => peerSocketType(new Uint8Array()), /^Error: the peer's READY names no socket type$/);
  assert.throws(() => peerSocketType(property("Identity", "me")), /names no socket type$/);
  for (let length = 16; length < whole.length; length++) {
    assert.throws(() => peerSocketType(whole.subarray(0, length)), /^Error: the peer's READY is cut off$/);
  }
});

Deno.test("an ERROR says its reason, as far as it goes", () => {
  assert.equal(errorReason(join(Uint8Array.of(2), text("no more"))), "no");
  assert.equal(errorReason(join(Uint8Array.of(200), text("no"))), "no");
  assert.equal(errorReason(new Uint8Array()), "");
});
