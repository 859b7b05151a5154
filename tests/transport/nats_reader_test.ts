import assert from "node:assert/strict";
import { connect, headers, type NatsConnection } from "nats";
import { joinBytes } from "../../lib/bytes.ts";
import { NatsReader } from "../../lib/transport/nats_reader.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { eventually } from "../helpers/eventually.ts";

const SUBSCRIPTION = 12;
const OURS = [
  { subject: "_INBOX.a.1.0", reply: undefined, data: '{"a":1}' },
  { subject: "_INBOX.a.1.0", reply: undefined, data: "" },
  { subject: "_INBOX.a.1.00", reply: undefined, data: "x".repeat(1_000) },
  { subject: "stats", reply: "_INBOX.b.2", data: "a\r\nMSG stats 12 3\r\nabc\r\nPING\r\n" },
  { subject: "größe", reply: "größe.2", data: "é" },
];
const OTHERS = [
  'INFO {"max_payload":1048576} \r\n',
  "PING\r\n",
  "HMSG _INBOX.a.1.1 12 16 16\r\nNATS/1.0 503\r\n\r\n\r\n",
  "HMSG stats 12 _INBOX.c.3 25 30\r\nNATS/1.0\r\nMSG: a 12 3\r\n\r\nhello\r\n",
  "PONG\r\n",
  "+OK\r\n",
  "-ERR 'Permissions Violation for Subscription to \"x\"'\r\n",
];
const STRANGE = "MSG stats 13 5\r\nnobod\r\n";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

Deno.test("messages are read, and all else is passed on whole, wherever the network cuts it", () => {
  const frames = [...OTHERS, STRANGE, ...OURS.map(frameOf), ...OTHERS, ...OURS.map(frameOf)];
  const bytes = encoder.encode(frames.join(""));
  for (const width of [1, 2, 3, 5, 7, 16, 61, 64, 1_000, bytes.length]) {
    const { messages, others, reader } = reading();
    for (let at = 0; at < bytes.length; at += width) reader.parse(bytes.slice(at, at + width));
    assert.deepEqual(messages, [...OURS, ...OURS], `${width} bytes at once`);
    assert.deepEqual(others, [...OTHERS, STRANGE, ...OTHERS], `${width} bytes at once`);
  }
});

Deno.test("a message that is cut anywhere is read, and what follows it", () => {
  const [first, second] = [frameOf(OURS[3]!), frameOf(OURS[0]!)];
  const bytes = encoder.encode(first + second);
  for (let cut = 1; cut < bytes.length; cut++) {
    const { messages, reader } = reading();
    reader.parse(bytes.slice(0, cut));
    reader.parse(bytes.slice(cut));
    assert.deepEqual(messages, [OURS[3], OURS[0]], `cut after ${cut} bytes`);
  }
});

Deno.test("what was read stays as it is when more comes", () => {
  const { kept, reader } = reading();
  const bytes = encoder.encode(OURS.map(frameOf).join(""));
  for (let at = 0; at < bytes.length; at += 10) reader.parse(bytes.slice(at, at + 10));
  assert.equal(decoder.decode(joinBytes(kept)), OURS.map(({ data }) => data).join(""));
});

Deno.test("a line that npm:nats has begun is ended by npm:nats, whatever its rest begins with", () => {
  const others = ["INFO {"];
  const { messages, reader } = reading(others);
  reader.parse(encoder.encode(`M"`));
  reader.parse(encoder.encode(`: 1}\r\n${frameOf(OURS[0]!)}`));
  assert.deepEqual(others, ["INFO {", 'M"', ": 1}\r\n"]);
  assert.deepEqual(messages, [OURS[0]]);
});

Deno.test("nobody is told of messages of a subscription that ended", () => {
  const { messages, subscription, reader } = reading();
  subscription[Symbol.dispose]();
  reader.parse(encoder.encode(OURS.map(frameOf).join("")));
  assert.deepEqual(messages, []);
});

Deno.test("a real server's messages come with headers and without, small and as large as it takes, in order", async () => {
  await using nats = await startNats();
  const [connection, other] = await Promise.all([
    connect({ servers: nats.url }),
    connect({ servers: nats.url }),
  ]);
  try {
    const heard: string[] = [];
    new NatsReader(connection).subscribe("load", (message) => {
      assert.ok(!(message instanceof Error));
      heard.push(`${message.data.length} ${message.reply}`);
    });
    await connection.flush();
    const headed = headers();
    headed.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    const largest = new Uint8Array(connection.info!.max_payload);
    other.publish("load", "1");
    other.publish("load", "22", { headers: headed, reply: "a" });
    other.publish("load", largest, { reply: "b" });
    other.publish("load", "333", { headers: headed });
    other.publish("load");
    const expected = ["1 undefined", "2 a", `${largest.length} b`, "3 undefined", "0 undefined"];
    await eventually(() => assert.deepEqual(heard, expected));
    await connection.flush(); // Its own PONG comes through.
  } finally {
    await connection.close();
    await other.close();
  }
});

function frameOf({ subject, reply, data }: typeof OURS[number]): string {
  const size = encoder.encode(data).length;
  return `MSG ${subject} ${SUBSCRIPTION} ${reply === undefined ? "" : `${reply} `}${size}\r\n${data}\r\n`;
}

/** A reader on a connection that is none: what it passes on, and what it gives to its one subscription. */
function reading(others: string[] = []) {
  const messages: { subject: string; reply: string | undefined; data: string }[] = [];
  const kept: Uint8Array[] = [];
  const connection = {
    protocol: {
      parser: {
        get state() {
          return others.at(-1)?.endsWith("\n") === false ? 1 : 0;
        },
        parse: (bytes: Uint8Array) => others.push(decoder.decode(bytes)),
      },
      transport: { socket: {} },
    },
    subscribe: () => ({ getID: () => SUBSCRIPTION, unsubscribe: () => {} }),
  } as unknown as NatsConnection;
  const reader = new NatsReader(connection);
  const subscription = reader.subscribe("any", (message) => {
    assert.ok(!(message instanceof Error));
    const { subject, reply, data } = message;
    messages.push({ subject, reply, data: decoder.decode(data) });
    kept.push(data);
  });
  return { others, messages, kept, subscription, reader };
}
