import assert from "node:assert/strict";
import { within } from "../../lib/timing.ts";
import { Gate } from "../../lib/transport/gate.ts";
import { encodeCommand, encodeMessage, greeting, ready, type Received } from "../../lib/transport/zmtp.ts";
import { ReadSchedule } from "../../lib/transport/read_schedule.ts";
import { ZmqSubscriber, type ZmqSubscriberOptions } from "../../lib/transport/zmq_sub.ts";
import { Program } from "../../tools/program.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { eventually } from "../helpers/eventually.ts";
import { logLines } from "../helpers/log_lines.ts";
import type { PublisherOptions } from "../helpers/zmq_publisher.ts";
import { type PeerConnection, welcome, ZmtpPeer } from "../helpers/zmtp_peer.ts";

const log = logLines("debug");

/** The lines of the log about the publisher at this port, without their time. */
function logged(port: number): string[] {
  return log.filter((line) => line.includes(` port=${port} `)).map((line) =>
    line.replace(/^\S+ +/, "").trimEnd()
  );
}

/** A subscriber with short times, what it hears as text, and what `connected` was at each change. */
function subscribe(port: number, options: Partial<ZmqSubscriberOptions> = {}) {
  // The kernel may give a port that a peer of an earlier test had.
  log.splice(0, Infinity, ...log.filter((line) => !line.includes(` port=${port} `)));
  const heard: string[][] = [];
  const changes: boolean[] = [];
  const subscriber = new ZmqSubscriber({
    host: "127.0.0.1",
    port,
    topics: [""],
    signal: new AbortController().signal,
    onMessage: (frames) => heard.push(frames.map((frame) => new TextDecoder().decode(frame))),
    onChange: () => changes.push(subscriber.connected),
    reads: new ReadSchedule({ minIntervalMs: 1 }),
    backOff: { firstMs: 10, maxMs: 50 },
    ...options,
  });
  return { subscriber, heard, changes, [Symbol.asyncDispose]: () => subscriber[Symbol.asyncDispose]() };
}

/** A real one, of libzmq, that has bound its port. */
async function startPublisher(port: number, options: Partial<PublisherOptions> = {}): Promise<Program> {
  const settings: PublisherOptions = {
    port,
    topics: ["a"],
    pauseMs: 10,
    bodyBytes: 300,
    pingMs: 0,
    ...options,
  };
  const script = new URL("../helpers/zmq_publisher.ts", import.meta.url).href;
  const args = ["run", "-A", "--no-check", script, JSON.stringify(settings)];
  const publisher = new Program({ command: Deno.execPath(), args });
  await publisher.logged(/bound/);
  return publisher;
}

Deno.test("messages of libzmq come once it is there, again after it was killed, and after it was stopped", async () => {
  const [port = 0] = freePorts(1);
  await using client = subscribe(port, { connectMs: 1_000, heartbeatMs: 300 });
  const { subscriber, heard } = client;
  await eventually(() => assert.match(logged(port).join("\n"), /No connection to a publisher.*refused/));
  assert.ok(!subscriber.connected);
  {
    await using publisher = await startPublisher(port);
    await eventually(() => assert.ok(heard.length >= 3));
    assert.ok(subscriber.connected);
    await publisher.stop("SIGKILL");
    await eventually(() => assert.ok(!subscriber.connected));
  }
  await using publisher = await startPublisher(port);
  heard.length = 0;
  await eventually(() => assert.ok(heard.length >= 3));
  Deno.kill(publisher.pid, "SIGSTOP");
  await eventually(() => assert.ok(!subscriber.connected));
  Deno.kill(publisher.pid, "SIGCONT");
  await eventually(() => assert.ok(subscriber.connected));
  heard.length = 0;
  await eventually(() => assert.ok(heard.length >= 3));
  const [topic, number, body] = heard[0]!;
  assert.deepEqual([topic, body], ["a", "\u0007".repeat(300)]);
  assert.deepEqual(heard.slice(0, 3).map(([, n]) => Number(n)), [0, 1, 2].map((n) => Number(number) + n));
});

Deno.test("libzmq sends what begins with one of the topics, also what is larger than one read", async () => {
  const [port = 0] = freePorts(1);
  await using _ = await startPublisher(port, { topics: ["a", "b", "ca", "aa", "c"], bodyBytes: 700_000 });
  await using client = subscribe(port, { topics: ["a", "ca"], connectMs: 10_000 });
  await eventually(() => assert.ok(client.heard.length >= 9));
  assert.deepEqual([...new Set(client.heard.map(([topic]) => topic))].sort(), ["a", "aa", "ca"]);
  assert.ok(client.heard.every(([, , body]) => body!.length === 700_000));
});

// What we subscribe to comes every two seconds. The first publisher answers PINGs, without which we would let go of it;
// the second would let go of us if we did not answer its own.
Deno.test("libzmq with little to say is kept by PINGs, ours or its own", async () => {
  const listen = async (pingMs: number) => {
    const [port = 0] = freePorts(1);
    const topics = ["a", ...Array.from({ length: 99 }, () => "b")];
    await using _ = await startPublisher(port, { topics, pauseMs: 20, pingMs });
    await using client = subscribe(port, { topics: ["a"], heartbeatMs: 400, connectMs: 10_000 });
    await eventually(() => assert.ok(client.heard.length >= 2));
    assert.deepEqual(client.changes, [true]);
  };
  await Promise.all([listen(0), listen(200)]);
});

/** What a publisher says before it can be subscribed to. */
const HANDSHAKE = [greeting(), ready("PUB")];

function text(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

Deno.test("captured messages of Dynamo 1.6.1 come as they were sent, wherever the network cuts them", async () => {
  const file = new URL("../testdata/modern/1.6.1-default/zmq-events.jsonl", import.meta.url);
  const captured = (await Deno.readTextFile(file)).trim().split("\n")
    .map((line) => JSON.parse(line).frames_hex as string[]);
  const said: Received[] = [];
  using peer = new ZmtpPeer(async (connection) => {
    said.push(...await welcome(connection));
    const stream = captured.map((frames) => encodeMessage(frames.map((hex) => Uint8Array.fromHex(hex))));
    const all = new Uint8Array(await new Blob(stream as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    for (let at = 0; at < all.length; at += 777) await connection.write(all.subarray(at, at + 777));
    await connection.ended();
  });
  const heard: string[][] = [];
  await using _ = subscribe(peer.port, {
    topics: ["forward-pass-metrics"],
    onMessage: (frames) => heard.push(frames.map((frame) => frame.toHex())),
  });
  await eventually(() => assert.equal(heard.length, captured.length));
  assert.deepEqual(heard, captured);
  const [, handshake, subscription] = said;
  assert.deepEqual(handshake, { kind: "command", name: "READY", data: ready("SUB").subarray(8) });
  assert.deepEqual(subscription, { kind: "message", frames: [text("\u0001forward-pass-metrics")] });
});

Deno.test("a PING between the frames of a message is answered with its context, and the message comes whole", async () => {
  let answer: Received | undefined;
  using peer = new ZmtpPeer(async (connection) => {
    await welcome(connection);
    const [first, second] = [encodeMessage([text("a"), text("")]).subarray(0, 3), encodeMessage([text("b")])];
    await connection.write(first, encodeCommand("PING", text("\u0000\u0064context")));
    answer = await connection.next();
    await connection.write(second);
    await connection.ended();
  });
  await using client = subscribe(peer.port);
  await eventually(() => assert.deepEqual(client.heard, [["a", "b"]]));
  assert.deepEqual(answer, { kind: "command", name: "PONG", data: text("context") });
});

Deno.test("a publisher with nothing to say is kept while it answers PINGs, and let go after two without an answer", async () => {
  const pings: number[] = [];
  using peer = new ZmtpPeer(async (connection) => {
    await welcome(connection);
    const n = pings.push(0) - 1;
    while (await connection.next()) {
      pings[n]!++;
      if (n === 0 && pings[n]! <= 5) await connection.write(encodeCommand("PONG", new Uint8Array()));
    }
  });
  await using client = subscribe(peer.port, { heartbeatMs: 30 });
  await eventually(() => assert.ok(peer.connections >= 2));
  assert.equal(pings[0], 7);
  assert.deepEqual(client.changes.slice(0, 2), [true, false]);
  await eventually(() => assert.match(logged(peer.port)[0]!, /cause="silent, and 2 PINGs unanswered"$/));
});

/** How a publisher may fail before the subscription has come, and the cause in the log. */
const NO_HANDSHAKE: Readonly<
  Record<string, readonly [play: (peer: PeerConnection) => Promise<void>, cause: string]>
> = {
  "sends garbage": [
    (peer) => peer.write(text("220 mail.example ESMTP\r\n".repeat(10))),
    "the peer does not speak ZMTP",
  ],
  "never greets": [(peer) => peer.ended(), "no handshake within 200 ms"],
  "greets and says no more": [
    async (peer) => {
      await peer.write(greeting());
      await peer.ended();
    },
    "no handshake within 200 ms",
  ],
  "wants a password": [
    async (peer) => {
      const plain = greeting();
      plain.set(text("PLAIN"), 12);
      await peer.write(plain);
      await peer.ended();
    },
    "the peer wants the mechanism PLAIN",
  ],
  "speaks ZMTP 2": [
    async (peer) => {
      const old = greeting();
      old[10] = 1;
      await peer.write(old);
      await peer.ended();
    },
    "the peer speaks version 1 of ZMTP",
  ],
  "is no publisher": [
    async (peer) => {
      await peer.write(greeting(), ready("PUSH"));
      await peer.ended();
    },
    "the peer's socket is PUSH",
  ],
  "says ERROR": [
    async (peer) => {
      await peer.write(greeting(), encodeCommand("ERROR", text("\u0009no thanks")));
      await peer.ended();
    },
    "the publisher says ERROR: no thanks",
  ],
  "sends before the handshake": [
    async (peer) => {
      await peer.write(greeting(), encodeMessage([text("a")]));
      await peer.ended();
    },
    "a message before READY",
  ],
  "asks before the handshake": [
    async (peer) => {
      await peer.write(greeting(), encodeCommand("PING", new Uint8Array(2)));
      await peer.ended();
    },
    "PING before READY",
  ],
  "hangs up": [
    async (peer) => {
      await peer.next(); // What nobody reads would make it a reset.
    },
    "closed by the publisher",
  ],
};

for (const [name, [play, cause]] of Object.entries(NO_HANDSHAKE)) {
  Deno.test(`a peer that ${name} is tried again and again, and is said once`, async () => {
    using peer = new ZmtpPeer(play);
    await using client = subscribe(peer.port, { connectMs: cause.startsWith("no handshake") ? 200 : 10_000 });
    await eventually(() => assert.ok(peer.connections >= 3));
    assert.deepEqual(client.changes, []);
    const line = "DEBUG metrics::transport: No connection to a publisher host=127.0.0.1";
    assert.deepEqual(logged(peer.port), [
      `${line} port=${peer.port} cause="${cause}"`,
    ]);
  });
}

/** How a connection that stood may end, and the cause in the log. */
const LOST: Readonly<Record<string, readonly [sent: Uint8Array, cause: string]>> = {
  "a message that is too large": [
    encodeMessage([new Uint8Array(600), new Uint8Array(401)]),
    "a message of more than 1000 bytes",
  ],
  "a frame that never ends": [
    Uint8Array.of(2, ...new Uint8Array(8).fill(255)),
    "a message of more than 1000 bytes",
  ],
  "garbage": [Uint8Array.of(99, 99, 99, 99), "a frame with the flags 99"],
  "an ERROR": [encodeCommand("ERROR", text("\u0003bye")), "the publisher says ERROR: bye"],
};

for (const [name, [sent, cause]] of Object.entries(LOST)) {
  Deno.test(`${name} ends the connection, what came before it counts, and the next connection works`, async () => {
    using peer = new ZmtpPeer(async (connection) => {
      await welcome(connection);
      await connection.write(encodeMessage([text("a"), text("b")]));
      if (peer.connections === 1) await connection.write(sent);
      await connection.ended();
    });
    await using client = subscribe(peer.port, { maxMessageBytes: 1_000 });
    await eventually(() => assert.deepEqual(client.heard, [["a", "b"], ["a", "b"]]));
    assert.deepEqual(client.changes, [true, false, true]);
    assert.match(logged(peer.port).join("\n"), new RegExp(`cause="${cause}"$`));
  });
}

Deno.test("pauses grow while connections bring nothing, and begin anew once one brought a message", async () => {
  let isGenerous = false;
  using peer = new ZmtpPeer(async (connection) => {
    await welcome(connection);
    if (isGenerous) await connection.write(encodeMessage([text("a")]));
  });
  await using _ = subscribe(peer.port, { backOff: { firstMs: 1, maxMs: 3_600_000 } });
  await eventually(() => assert.ok(peer.connections >= 9));
  // 1 + 2 + … + 128 ms, each less a fifth, and a timer may be a fraction of a millisecond early.
  assert.ok(peer.connectedAtMs[8]! - peer.connectedAtMs[0]! >= 0.75 * 255);
  isGenerous = true;
  // Without a new beginning these would take hours.
  await eventually(() => assert.ok(peer.connections >= 40));
});

Deno.test("a listener that throws is said once and misses nothing", async () => {
  using peer = new ZmtpPeer(async (connection) => {
    await welcome(connection);
    for (const word of ["a", "b", "c"]) await connection.write(encodeMessage([text(word)]));
    await connection.ended();
  });
  const heard: string[] = [];
  await using client = subscribe(peer.port, {
    onMessage: ([frame]) => {
      heard.push(new TextDecoder().decode(frame));
      throw new Error("no room");
    },
    onChange: () => {
      throw new Error("no room");
    },
  });
  await eventually(() => assert.deepEqual(heard, ["a", "b", "c"]));
  assert.ok(client.subscriber.connected);
  assert.deepEqual(logged(peer.port), [
    `ERROR metrics::transport: Cannot take what a publisher brings host=127.0.0.1 port=${peer.port} cause="no room"`,
  ]);
});

Deno.test("nothing is heard after an abort, also of what has come already", async () => {
  const stop = new AbortController();
  using peer = new ZmtpPeer(async (connection) => {
    await welcome(connection);
    await connection.write(new Uint8Array([...encodeMessage([text("a")]), ...encodeMessage([text("b")])]));
    await connection.ended();
    isEnded = true;
  });
  let isEnded = false;
  const heard: string[] = [];
  await using client = subscribe(peer.port, {
    signal: stop.signal,
    onMessage: ([frame]) => {
      heard.push(new TextDecoder().decode(frame));
      stop.abort();
    },
  });
  await eventually(() => assert.ok(isEnded));
  assert.deepEqual(heard, ["a"]);
  assert.deepEqual(client.changes, [true, false]);
});

/** Times that a test does not wait for. */
const PATIENT = {
  connectMs: 600_000,
  heartbeatMs: 600_000,
  reads: new ReadSchedule({ minIntervalMs: 600_000 }),
  backOff: { firstMs: 600_000, maxMs: 600_000 },
};

async function endsAtOnce({ subscriber }: { readonly subscriber: ZmqSubscriber }): Promise<void> {
  await within(subscriber[Symbol.asyncDispose](), { ms: 5_000, what: "disposing" });
  assert.ok(!subscriber.connected);
}

Deno.test("disposing ends at once while a connect is under way", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const stop = new AbortController();
  // They fill the queue of those that nobody accepts, in which the next one waits for a place.
  const others = Array.from(
    { length: 4 },
    () => Deno.connect({ port, signal: stop.signal }).catch(() => undefined),
  );
  await others[0];
  const client = subscribe(port, PATIENT);
  await new Promise((resolve) => setTimeout(resolve));
  await endsAtOnce(client);
  stop.abort();
  for (const other of await Promise.all(others)) other?.close();
});

Deno.test("disposing ends at once while nobody listens", async () => {
  const [port = 0] = freePorts(1);
  const client = subscribe(port, PATIENT);
  await eventually(() => assert.equal(logged(port).length, 1));
  await endsAtOnce(client);
});

Deno.test("disposing ends at once while the publisher has not greeted, or not shaken hands", async () => {
  for (const words of [[], [greeting()]]) {
    let isReached = false;
    using peer = new ZmtpPeer(async (connection) => {
      await connection.write(...words);
      await connection.next();
      if (words.length > 0) await connection.next();
      isReached = true;
      await connection.ended();
    });
    const client = subscribe(peer.port, PATIENT);
    await eventually(() => assert.ok(isReached));
    await endsAtOnce(client);
    assert.deepEqual(client.changes, []);
  }
});

Deno.test("disposing ends at once while the socket rests, and while it is read", async () => {
  for (const minIntervalMs of [600_000, 1]) {
    using peer = new ZmtpPeer(async (connection) => {
      await connection.write(...HANDSHAKE);
      await connection.ended();
    });
    const client = subscribe(peer.port, { ...PATIENT, reads: new ReadSchedule({ minIntervalMs }) });
    await eventually(() => assert.ok(client.subscriber.connected));
    await endsAtOnce(client);
    assert.deepEqual(client.changes, [true, false]);
  }
});

Deno.test("a subscriber whose signal is aborted already connects to nobody", async () => {
  using peer = new ZmtpPeer((connection) => connection.ended());
  const client = subscribe(peer.port, { signal: AbortSignal.abort() });
  await endsAtOnce(client);
  assert.equal(peer.connections, 0);
});

Deno.test("subscribers of one gate wait for the handshakes of others, not for the connections that stand", async () => {
  const handshakes = new Gate(1);
  using silent = new ZmtpPeer((connection) => connection.ended());
  using good = new ZmtpPeer(async (connection) => {
    await welcome(connection);
    await connection.ended();
  });
  const unanswered = subscribe(silent.port, { ...PATIENT, handshakes });
  await eventually(() => assert.equal(silent.connections, 1));
  await using first = subscribe(good.port, { ...PATIENT, handshakes });
  await using second = subscribe(good.port, { ...PATIENT, handshakes });
  const waiting = subscribe(good.port, { ...PATIENT, handshakes });
  await endsAtOnce(waiting);
  assert.equal(good.connections, 0);
  await endsAtOnce(unanswered);
  await eventually(() => assert.ok(first.subscriber.connected && second.subscriber.connected));
  assert.equal(good.connections, 2);
});

Deno.test("publishers that did not answer once keep no new one out, however many they are", async () => {
  const handshakes = new Gate(2);
  const count = 20;
  using silent = new ZmtpPeer(async (connection) => {
    if (silent.connections > count) await connection.ended();
  });
  using good = new ZmtpPeer(async (connection) => {
    await welcome(connection);
    await connection.ended();
  });
  await using clients = new AsyncDisposableStack();
  const options = { ...PATIENT, handshakes, backOff: { firstMs: 10, maxMs: 10 } };
  for (let n = 0; n < count; n++) clients.use(subscribe(silent.port, options));
  await eventually(() => assert.equal(silent.connections, count + 1)); // The second one that comes again waits.
  await using client = subscribe(good.port, { ...PATIENT, handshakes });
  await eventually(() => assert.ok(client.subscriber.connected));
});
