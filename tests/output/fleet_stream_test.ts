import assert from "node:assert/strict";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { type Snapshot } from "../../lib/fleet/snapshot.ts";
import { FleetBytes } from "../../lib/output/fleet_route.ts";
import { FleetStream, type FleetStreamOptions } from "../../lib/output/fleet_stream.ts";
import { startServer } from "../../lib/output/server.ts";
import { EventStream, parseAlive, parseMessage } from "../helpers/event_stream.ts";
import { eventually } from "../helpers/eventually.ts";
import * as steps from "../helpers/fleet_steps.ts";
import { snapshotTarget } from "../helpers/fleet_at_once.ts";

/** So many workers, each with this load, of a service of this version. */
interface Workers {
  readonly workers: number;
  readonly blocks: number;
  readonly version?: string;
}

/** Snapshots as a test makes them. */
class Source {
  snapshot = snapshotOf(0, { workers: 0, blocks: 0 });
  readonly listeners = new Set<(snapshot: Snapshot) => void>();

  subscribe(listener: (snapshot: Snapshot) => void): Disposable {
    this.listeners.add(listener);
    return { [Symbol.dispose]: () => this.listeners.delete(listener) };
  }

  publish(options: Workers): void {
    this.snapshot = snapshotOf(this.snapshot.seq + 1, options);
    for (const listener of this.listeners) listener(this.snapshot);
  }
}

function snapshotOf(seq: number, { workers, blocks, version = "1" }: Workers): Snapshot {
  const answers = Array.from({ length: workers }, (_, n) => ({
    ...steps.answer(String(n + 1) as WorkerId, seq, seq, steps.load(blocks)),
    serviceVersion: version,
  }));
  const { fleet } = steps.feed([seq, steps.round(seq, seq, answers)]);
  const now = steps.at(seq);
  const targets = [snapshotTarget(fleet, { now, limits: steps.limits })];
  return { seq, at: now, connections: [], namespaces: [], targets };
}

function serve(options: Partial<FleetStreamOptions> = {}) {
  const source = new Source();
  const stream = new FleetStream({ snapshots: source, fleets: new FleetBytes(), periodMs: 1, ...options });
  const routes = new Map([["/api/v1/stream", () => stream.answer()]]);
  const server = startServer({ host: "127.0.0.1", port: 0, routes, drainMs: 200 });
  const url = `http://${server.address}`;
  return {
    source,
    stream,
    url,
    async [Symbol.asyncDispose]() {
      stream[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a reader is told the state, then each change; one that comes later begins with its own state", async () => {
  await using served = serve();
  served.source.publish({ workers: 2, blocks: 1 });
  await using first = await EventStream.open(served.url);
  const state = await first.next();
  assert.deepEqual([state?.event, state?.data.seq], ["state", 1]);
  served.source.publish({ workers: 2, blocks: 2 });
  const change = await first.next();
  assert.deepEqual([change?.event, change?.data.seq], ["change", 2]);
  await using second = await EventStream.open(served.url);
  const other = await second.next();
  assert.deepEqual([other?.event, other?.data.seq], ["state", 2]);
  served.source.publish({ workers: 1, blocks: 2 });
  for (const stream of [first, second]) {
    const message = await stream.next();
    assert.deepEqual([message?.event, message?.data.seq], ["change", 3]);
  }
});

Deno.test("Snapshots that come faster than messages may are told together in one", async () => {
  await using served = serve({ periodMs: 100 });
  await using stream = await EventStream.open(served.url);
  await stream.next();
  served.source.publish({ workers: 1, blocks: 1 });
  await stream.next();
  for (let blocks = 2; blocks <= 9; blocks++) served.source.publish({ workers: 1, blocks });
  const message = await stream.next();
  assert.deepEqual([message?.event, message?.data.seq], ["change", 9]);
});

Deno.test("each message says the server's time when it was sent, and one comes when there is nothing to tell", async () => {
  let seconds = 100;
  await using served = serve({ keepAliveMs: 5, clock: () => steps.at(seconds++ * 1_000) });
  await using stream = await EventStream.open(served.url);
  const state = parseMessage((await stream.nextBlock())!);
  const alive = [parseAlive((await stream.nextBlock())!), parseAlive((await stream.nextBlock())!)];
  served.source.publish({ workers: 1, blocks: 1 });
  const change = await stream.next();
  assert.equal(change?.data.seq, 1);
  const times = [state.data, ...alive, change.data].map(({ now }) => Date.parse(now));
  assert.ok(times[0]! >= steps.at(100_000).epochMs);
  for (const [n, time] of times.slice(1).entries()) assert.ok(time > times[n]!, `${times}`);
});

Deno.test("a state that cannot be made ends that stream alone; the next reader is served", async () => {
  const good = new FleetBytes();
  let failures = 1;
  const fleets: Pick<FleetBytes, "of"> = {
    of: (snapshot) => failures-- > 0 ? Promise.reject(new Error("no memory")) : good.of(snapshot),
  };
  const source = new Source();
  using stream = new FleetStream({ snapshots: source, fleets, periodMs: 1, maxReaders: 1 });
  const first = stream.answer().body!.getReader();
  await assert.rejects(first.read(), { message: "no memory" });
  const second = stream.answer();
  assert.equal(second.status, 200);
  const { value } = await second.body!.getReader().read();
  assert.match(new TextDecoder().decode(value), /^event: state\n/);
  source.publish({ workers: 1, blocks: 1 });
});

Deno.test("a state that cannot be made for a reader that missed something ends no other's stream", async () => {
  const good = new FleetBytes();
  const fleets: Pick<FleetBytes, "of"> = {
    of: (snapshot) => {
      if (snapshot.seq === 0) return good.of(snapshot);
      // It takes until there is a newer one, of which it cannot be made either.
      return snapshot.seq === 1 ? new Promise(() => {}) : Promise.reject(new Error("no memory"));
    },
  };
  const source = new Source();
  using stream = new FleetStream({ snapshots: source, fleets, periodMs: 1 });
  const [late, other] = [stream.answer(), stream.answer()].map(({ body }) => body!.getReader());
  const next = async (reader: typeof late) => { // A message and its end.
    const parts = [await reader!.read(), await reader!.read()];
    return parts.map(({ value }) => new TextDecoder().decode(value)).join("");
  };
  for (const reader of [late, other]) assert.match(await next(reader), /^event: state\n/);
  source.publish({ workers: 1, blocks: 1 });
  assert.match(await next(other), /^event: change\n/);
  const failed = assert.rejects(late!.read(), { message: "no memory" });
  for (const blocks of [2, 3]) {
    source.publish({ workers: 1, blocks });
    assert.match(await next(other), /^event: change\n/);
  }
  await failed;
});

Deno.test("while nobody reads nobody listens to Snapshots", async () => {
  await using served = serve();
  const { listeners } = served.source;
  assert.equal(listeners.size, 0);
  await using first = await EventStream.open(served.url);
  await using second = await EventStream.open(served.url);
  await Promise.all([first.next(), second.next()]);
  assert.equal(listeners.size, 1);
  await first[Symbol.asyncDispose]();
  served.source.publish({ workers: 1, blocks: 1 });
  assert.equal((await second.next())?.data.seq, 1);
  await second[Symbol.asyncDispose]();
  await eventually(() => assert.equal(listeners.size, 0));
  served.source.publish({ workers: 1, blocks: 2 });
  await using third = await EventStream.open(served.url);
  assert.equal((await third.next())?.data.seq, 2);
});

Deno.test("one reader too many is told so, and served when another has gone; HEAD opens none", async () => {
  await using served = serve({ maxReaders: 1 });
  await using first = await EventStream.open(served.url);
  const url = `${served.url}/api/v1/stream`;
  const refused = await fetch(url);
  assert.deepEqual([refused.status, await refused.json()], [
    503,
    { error: "1 streams are open, and no more are served; close one, or come again" },
  ]);
  await first[Symbol.asyncDispose]();
  await eventually(async () => {
    const head = await fetch(url, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("content-type")], [200, "text/event-stream"]);
  });
  await using second = await EventStream.open(served.url);
  assert.equal((await second.next())?.event, "state");
});

Deno.test("streams end with the program, and no new one begins", async () => {
  await using served = serve();
  await using stream = await EventStream.open(served.url);
  await stream.next();
  served.stream[Symbol.dispose]();
  assert.equal(await stream.next(), undefined);
  const refused = await fetch(`${served.url}/api/v1/stream`);
  assert.deepEqual([refused.status, await refused.json()], [503, { error: "the program is stopping" }]);
});

Deno.test("a reader that does not read is skipped, and told the state when it reads again; another is told all", async () => {
  const changes = 60;
  const workers = 2_000;
  await using served = serve();
  served.source.publish({ workers, blocks: 0 });
  using slow = await SlowReader.connect(served.url);
  await using fast = await EventStream.open(served.url);
  assert.equal((await fast.next())?.event, "state");
  let told = 0;
  for (let blocks = 1; blocks <= changes; blocks++) {
    served.source.publish({ workers, blocks, version: String(blocks) }); // So that workers are told whole.
    const message = await fast.next();
    assert.deepEqual([message?.event, message?.data.seq], ["change", blocks + 1]);
    told += JSON.stringify(message).length;
  }
  served.source.publish({ workers: 1, blocks: 0 });
  const last = served.source.snapshot.seq;
  const { messages, bytes } = await slow.readUntil(({ data }) => data.seq >= last, () => {
    served.source.publish({ workers: 1, blocks: 0 });
  });
  assert.ok(bytes < told / 2, `${bytes} of ${told} bytes were kept for a reader that did not read`);
  const seqs = messages.map(({ data }) => data.seq);
  assert.equal(messages[0]!.event, "state");
  const skips = messages.filter(({ data }, n) => n > 0 && data.seq !== seqs[n - 1]! + 1);
  assert.ok(skips.length >= 1, "nothing was skipped");
  assert.ok(skips.every(({ event }) => event === "state"));
});

Deno.test("a reader that takes nothing for long is ended, and leaves its place to another", async () => {
  let ms = 0;
  const clock = () => steps.at(ms);
  await using served = serve({ maxReaders: 2, keepAliveMs: 5, stuckMs: 60_000, clock });
  using _stuck = await SlowReader.connect(served.url);
  await using other = await EventStream.open(served.url);
  let seq = 0;
  const place = async () => {
    served.source.publish({ workers: 2_000, blocks: ++seq, version: String(seq) });
    await other.until(({ data }) => data.seq === seq); // So that it is there when the clock is moved.
    ms += 1_000;
    const response = await fetch(`${served.url}/api/v1/stream`);
    await response.body?.cancel();
    return response.status;
  };
  for (let n = 0; n < 55; n++) assert.equal(await place(), 503);
  await eventually(async () => assert.equal(await place(), 200));
  assert.equal((await other.nextBlock())?.startsWith("event: "), true);
});

Deno.test("readers that leave while they are told something end nobody else's stream", async () => {
  await using served = serve();
  await using stream = await EventStream.open(served.url);
  await stream.next();
  for (let round = 1; round <= 400; round++) { // A race: a hundred are enough to lose it.
    const response = await fetch(`${served.url}/api/v1/stream`);
    const leaving = response.body!.getReader();
    await leaving.read();
    served.source.publish({ workers: 1, blocks: round });
    await leaving.cancel();
    assert.ok(await stream.next(), `the stream ended in round ${round}`);
  }
});

/** A connection that asks for the stream and does not read. */
class SlowReader implements Disposable {
  private constructor(private readonly connection: Deno.TcpConn) {}

  static async connect(url: string): Promise<SlowReader> {
    const { hostname, port } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    await connection.write(new TextEncoder().encode("GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n"));
    await connection.read(new Uint8Array(1)); // It is served.
    return new SlowReader(connection);
  }

  /** Reads all there is up to a message; `onMessage` is called after each. */
  async readUntil(
    is: (message: ReturnType<typeof parseMessage>) => boolean,
    onMessage: () => void,
  ): Promise<{ messages: ReturnType<typeof parseMessage>[]; bytes: number }> {
    const messages: ReturnType<typeof parseMessage>[] = [];
    let wire = "";
    let text = "";
    let bytes = 0;
    const buffer = new Uint8Array(65_536);
    for (let n = await this.connection.read(buffer); n !== null; n = await this.connection.read(buffer)) {
      wire += new TextDecoder().decode(buffer.subarray(0, n));
      if (text === "" && bytes === 0 && wire.includes("\r\n\r\n")) {
        wire = wire.slice(wire.indexOf("\r\n\r\n") + 4);
      }
      for (;;) { // Chunks: their length in hexadecimal, a line end, as many bytes, a line end. All is ASCII.
        const [head, digits] = /^([0-9a-f]+)\r\n/i.exec(wire) ?? [];
        const length = parseInt(digits ?? "", 16);
        if (head === undefined || wire.length < head.length + length + 2) break;
        text += wire.slice(head.length, head.length + length);
        bytes += length;
        wire = wire.slice(head.length + length + 2);
      }
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        messages.push(parseMessage(text.slice(0, end)));
        text = text.slice(end + 2);
        if (is(messages.at(-1)!)) return { messages, bytes };
        onMessage();
      }
    }
    throw new Error("the stream ended");
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}
