import assert from "node:assert/strict";
import { within } from "../../lib/timing.ts";
import { ZmqPublisher, type ZmqPublisherOptions } from "../../lib/transport/zmq_pub.ts";
import { ZmqSubscriber } from "../../lib/transport/zmq_sub.ts";
import {
  encodeCommand,
  encodeMessage,
  greeting,
  ready,
  type Received,
  subscription,
} from "../../lib/transport/zmtp.ts";
import { Program } from "../../tools/program.ts";
import { eventually } from "../helpers/eventually.ts";
import type { SubscriberOptions } from "../helpers/zmq_subscriber.ts";
import { PeerConnection } from "../helpers/zmtp_peer.ts";

function text(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

function publish(options: Omit<ZmqPublisherOptions, "host"> = {}): ZmqPublisher {
  return new ZmqPublisher({ host: "127.0.0.1", ...options });
}

/** Says topic, number and body, 10 ms apart, until it is disposed of. */
function saying(publisher: ZmqPublisher, topics: readonly string[], body = text("body")): Disposable {
  let n = 0;
  const timer = setInterval(() => {
    publisher.send([text(topics[n % topics.length]!), text(String(n)), body]);
    n++;
  }, 10);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** A real one, of libzmq; its log has what it hears. */
function libzmqSubscriber(options: SubscriberOptions): Program {
  const script = new URL("../helpers/zmq_subscriber.ts", import.meta.url).href;
  return new Program({
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", script, JSON.stringify(options)],
  });
}

/** The messages that a libzmq subscriber heard, as text; one that is still being printed is not yet among them. */
function heardBy(program: Program): string[][] {
  return program.log.split("\n").slice(0, -1).filter((line) => line.startsWith("[")).map((line) =>
    (JSON.parse(line) as string[]).map((frame) => new TextDecoder().decode(Uint8Array.fromHex(frame)))
  );
}

/** A connection of our own making; `hello` shakes hands as a SUB does. */
async function connect(port: number): Promise<Subscribing> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  return new Subscribing(socket);
}

class Subscribing extends PeerConnection implements Disposable {
  constructor(readonly own: Deno.Conn) {
    super(own);
  }

  async hello(type = "SUB"): Promise<readonly Received[]> {
    await this.write(greeting(1), ready(type));
    return [(await this.next())!, (await this.next())!];
  }

  [Symbol.dispose](): void {
    this.own[Symbol.dispose]();
  }
}

Deno.test("libzmq hears what it subscribed to whole and in order, no more of what it unsubscribed from, and is forgotten when killed", async () => {
  await using publisher = publish();
  using _ = saying(publisher, ["a", "b", "ca", "aa"], new Uint8Array(70_000).fill(65));
  await using program = libzmqSubscriber({ port: publisher.port, topics: ["a", "ca"], pingMs: 0 });
  await program.logged(/unsubscribed/);
  const before = heardBy(program).length;
  await eventually(() => assert.ok(heardBy(program).length >= before + 8));
  const heard = heardBy(program);
  assert.ok(heard.every(([, , body]) => body === "A".repeat(70_000)));
  const numbers = heard.slice(-6).map(([topic, n]) => [topic, Number(n)] as const);
  for (const [topic, n] of numbers) assert.equal(topic, n % 4 === 0 ? "a" : "aa");
  assert.deepEqual(
    numbers.map(([, n]) => n),
    Array.from({ length: 6 }, (_, k) => {
      const first = numbers[0]![1];
      return first + (first % 4 === 0 ? [0, 3, 4, 7, 8, 11] : [0, 1, 4, 5, 8, 9])[k]!;
    }),
  );
  assert.equal(publisher.subscribers, 1);
  await program.stop("SIGKILL");
  await eventually(() => assert.equal(publisher.subscribers, 0));
});

Deno.test("libzmq that PINGs keeps a publisher with little to say, since its PINGs are answered", async () => {
  await using publisher = publish();
  await using program = libzmqSubscriber({ port: publisher.port, topics: [""], pingMs: 100 });
  await eventually(() => assert.equal(publisher.subscribers, 1));
  const quietMs = performance.now() + 1_500; // Three times what libzmq waits for an answer.
  await eventually(() => assert.ok(performance.now() > quietMs));
  publisher.send([text("a")]);
  await program.logged(/\["61"\]/);
  assert.doesNotMatch(program.log, /disconnected/);
});

Deno.test("our own subscriber hears what it subscribed to, one frame or many, and again after the publisher was away", async () => {
  const heard: string[] = [];
  let publisher = publish();
  const { port } = publisher;
  await using subscriber = new ZmqSubscriber({
    host: "127.0.0.1",
    port,
    topics: ["a"],
    signal: new AbortController().signal,
    onMessage: (frames) => heard.push(frames.map((frame) => new TextDecoder().decode(frame)).join(" ")),
    backOff: { firstMs: 10, maxMs: 50 },
  });
  await eventually(() => assert.equal(publisher.subscribers, 1));
  for (const frames of [["a"], ["b"], ["ab", "", "x"]]) publisher.send(frames.map(text));
  await eventually(() => assert.deepEqual(heard, ["a", "ab  x"]));
  await publisher[Symbol.asyncDispose]();
  await eventually(() => assert.ok(!subscriber.connected));
  publisher = publish({ port });
  await using _ = publisher;
  await eventually(() => assert.equal(publisher.subscribers, 1));
  publisher.send([text("again")]);
  await eventually(() => assert.deepEqual(heard, ["a", "ab  x", "again"]));
});

Deno.test("it greets as libzmq 3.1 does, and takes subscriptions as messages of 3.0 and as commands of 3.1", async () => {
  await using publisher = publish();
  using peer = await connect(publisher.port);
  const [first, second] = await peer.hello();
  assert.deepEqual(first, { kind: "greeting" });
  assert.deepEqual(second, { kind: "command", name: "READY", data: ready("PUB").subarray(8) });
  await peer.write(subscription("a"), encodeCommand("SUBSCRIBE", text("b")), subscription("b"));
  await peer.write(encodeCommand("PING", text("\u0000\u0064context")));
  assert.deepEqual(await peer.next(), { kind: "command", name: "PONG", data: text("context") });
  const say = (...topics: string[]) => topics.forEach((topic) => publisher.send([text(topic)]));
  const next = async () => {
    const received = await peer.next();
    return received?.kind === "message" ? new TextDecoder().decode(received.frames[0]) : received;
  };
  say("c", "a1", "b1");
  assert.deepEqual([await next(), await next()], ["a1", "b1"]);
  // Twice subscribed, once cancelled: still wanted. What was never subscribed to cannot be cancelled.
  const settle = async () => {
    await peer.write(encodeCommand("PING", text("\u0000\u0000")));
    assert.equal((await peer.next())!.kind, "command");
  };
  await peer.write(encodeCommand("CANCEL", text("b")), encodeMessage([text("\u0000a")]));
  await peer.write(encodeCommand("CANCEL", text("b1")), encodeMessage([text("\u0007x")]));
  await settle();
  say("a2", "b2");
  assert.equal(await next(), "b2");
  await peer.write(encodeMessage([text("\u0000b")]));
  await settle();
  assert.equal(publisher.subscribers, 0);
  say("b3");
  await peer.write(subscription("c"));
  await settle();
  say("c1");
  assert.equal(await next(), "c1");
});

Deno.test("its greeting has the bytes of libzmq's but for the length of its old signature", async () => {
  await using publisher = publish();
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: publisher.port });
  const bytes = new Uint8Array(64);
  for (let at = 0; at < 64;) at += await socket.read(bytes.subarray(at)) ?? 64;
  assert.equal(bytes.toHex(), "ff00000000000000007f" + "0301" + "4e554c4c" + "00".repeat(48));
});

Deno.test("a subscriber that does not read loses messages, the number of which is bounded, and nobody else does", async () => {
  await using publisher = publish({ maxQueued: 10 });
  using slow = await connect(publisher.port);
  await slow.hello();
  await slow.write(subscription(""));
  const heard: number[] = [];
  await using _ = new ZmqSubscriber({
    host: "127.0.0.1",
    port: publisher.port,
    topics: [""],
    signal: new AbortController().signal,
    onMessage: ([, n]) => heard.push(new DataView(n!.buffer, n!.byteOffset).getUint32(0)),
    maxMessageBytes: 2_000_000,
  });
  await eventually(() => assert.equal(publisher.subscribers, 2));
  const COUNT = 60;
  for (let n = 0; n < COUNT; n++) {
    const number = new Uint8Array(1_000_000);
    new DataView(number.buffer).setUint32(0, n);
    publisher.send([text(""), number]);
    await eventually(() => assert.equal(heard.length, n + 1));
  }
  assert.deepEqual(heard, Array.from({ length: COUNT }, (_, n) => n));
  // What the kernel took and ten more: far from all of it.
  const sizes: number[] = [];
  const buffer = new Uint8Array(1_000_000);
  const reading = (async () => {
    for (let count = await slow.own.read(buffer); count !== null; count = await slow.own.read(buffer)) {
      sizes.push(count);
    }
  })();
  const bytes = () => sizes.reduce((sum, size) => sum + size, 0);
  await eventually(() => assert.ok(bytes() > 10_000_000));
  await publisher[Symbol.asyncDispose]();
  await reading.catch(() => {}); // The connection may be reset.
  assert.ok(bytes() < 40_000_000, `${bytes()}`);
});

/** What a peer may do that ends its connection. */
const ENDED: Readonly<Record<string, (peer: Subscribing) => Promise<unknown>>> = {
  "sends garbage": (peer) => peer.write(text("GET / HTTP/1.1\r\nHost: a\r\n".repeat(8))),
  "is a publisher itself": (peer) => peer.hello("PUB"),
  "subscribes before its READY": (peer) => peer.write(greeting(), subscription("a")),
  "says nothing": () => Promise.resolve(),
  "greets and says no more": (peer) => peer.write(greeting()),
  "says ERROR": async (peer) => {
    await peer.hello();
    await peer.write(encodeCommand("ERROR", text("\u0002no")));
  },
  "sends a message that is too large": async (peer) => {
    await peer.hello();
    await peer.write(encodeMessage([new Uint8Array(65_537)]));
  },
  "subscribes to a thousand topics and one": async (peer) => {
    await peer.hello();
    for (let n = 0; n < 1_001; n++) await peer.write(subscription(String(n)));
  },
};

for (const [what, play] of Object.entries(ENDED)) {
  Deno.test(`a peer that ${what} is let go, and another goes on`, async () => {
    await using publisher = publish({ handshakeMs: 300 });
    using good = await connect(publisher.port);
    await good.hello();
    await good.write(subscription(""));
    using bad = await connect(publisher.port);
    await play(bad).catch(() => {}); // It may be let go while it writes.
    await bad.ended().catch(() => {}); // It may be reset.
    await eventually(() => assert.equal(publisher.subscribers, 1));
    publisher.send([text("still")]);
    const received = await good.next();
    assert.deepEqual(received, { kind: "message", frames: [text("still")] });
  });
}

Deno.test("disposing ends at once, twice too, whatever its subscribers do, and nobody can connect any more", async () => {
  const publisher = publish({ handshakeMs: 600_000 });
  const { port } = publisher;
  using silent = await connect(port);
  using half = await connect(port);
  await half.write(greeting());
  using stuck = await connect(port);
  await stuck.hello();
  await stuck.write(subscription(""));
  await eventually(() => assert.equal(publisher.subscribers, 1));
  for (let n = 0; n < 30; n++) publisher.send([new Uint8Array(1_000_000)]);
  const twice = Promise.all([publisher[Symbol.asyncDispose](), publisher[Symbol.asyncDispose]()]);
  await within(twice, { ms: 5_000, what: "disposing" });
  await silent.ended().catch(() => {});
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
  publisher.send([text("nobody")]);
});

Deno.test("a port that is taken is refused", async () => {
  await using publisher = publish();
  assert.throws(() => publish({ port: publisher.port }), Deno.errors.AddrInUse);
});
