import assert from "node:assert/strict";
import { startFeed, UNREADABLE } from "../../web/feed.ts";
import { nextTurn } from "../helpers/next_turn.ts";

/** Streams that the feed has opened; a test says what the server sends. */
class FakeServer {
  readonly opened: FakeStream[] = [];

  readonly fetch = (_url: string, { signal }: { readonly signal: AbortSignal }): Promise<Response> => {
    const stream = new FakeStream(signal);
    this.opened.push(stream);
    return Promise.resolve(stream.response);
  };
}

class FakeStream {
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly response = new Response(
    new ReadableStream<Uint8Array>({ start: (controller) => void (this.#controller = controller) }),
    { headers: { "content-type": "text/event-stream" } },
  );

  constructor(readonly signal: AbortSignal) {
    signal.addEventListener("abort", () => this.#controller.error(signal.reason));
  }

  async send(event: string, data: unknown): Promise<void> {
    this.#controller.enqueue(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
    await nextTurn();
  }

  async end(): Promise<void> {
    this.#controller.close();
    await nextTurn();
  }
}

/** Timers that end when a test moves the time. */
class FakeTimers {
  #nowMs = 0;
  #next = 1;
  readonly #due = new Map<number, { readonly atMs: number; readonly act: () => void }>();

  readonly set = <Args extends unknown[]>(
    act: (...args: Args) => void,
    ms: number,
    ...args: Args
  ): number => {
    this.#due.set(this.#next, { atMs: this.#nowMs + ms, act: () => act(...args) });
    return this.#next++;
  };

  readonly clear = (timer: number): void => void this.#due.delete(timer);

  pass(ms: number): void {
    this.#nowMs += ms;
    for (const [timer, { atMs, act }] of this.#due) {
      if (atMs <= this.#nowMs && this.#due.delete(timer)) act();
    }
  }
}

Deno.test("after a message that cannot be taken the stream is opened anew", async () => {
  const timers = new FakeTimers();
  const reported: unknown[] = [];
  const { fetch, opened } = new FakeServer();
  using _ = replaced({
    fetch,
    setTimeout: timers.set,
    clearTimeout: timers.clear,
    reportError: (error: unknown) => reported.push(error),
  });
  const problem = new RangeError("2 values of kv_blocks_used are told of 1 that are there");
  const told: string[] = [];
  startFeed({
    onMessage: (event) => {
      if (event === "change") throw problem;
      told.push(event);
    },
    onLost: (why) => told.push(why),
  });
  await nextTurn();
  await opened[0]!.send("state", {});
  await opened[0]!.send("change", {});
  assert.deepEqual([told, reported], [["state", UNREADABLE], [problem]]);
  timers.pass(1_000);
  await nextTurn();
  await opened[1]!.send("state", {});
  assert.deepEqual(told, ["state", UNREADABLE, "state"]);
  await opened[1]!.send("change", {}); // Another release's server, perhaps: it is not asked ever faster for the whole.
  timers.pass(1_000);
  assert.equal(opened.length, 2);
  timers.pass(500);
  assert.equal(opened.length, 3);
});

Deno.test("a stream that says it is alive is kept; one that says nothing is opened anew", async () => {
  const timers = new FakeTimers();
  const { fetch, opened } = new FakeServer();
  using _ = replaced({ fetch, setTimeout: timers.set, clearTimeout: timers.clear });
  const told: string[] = [];
  startFeed({
    onMessage: (event, data) => told.push(event === "alive" ? JSON.parse(data).now : event),
    onLost: (why) => told.push(why),
  });
  await nextTurn();
  await opened[0]!.send("state", {});
  for (let n = 1; n <= 10; n++) {
    timers.pass(6_000);
    await opened[0]!.send("alive", { now: `${n}` });
  }
  assert.equal(opened.length, 1);
  assert.deepEqual(told, ["state", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
  timers.pass(11_000);
  assert.equal(opened.length, 2);
  assert.ok(opened[0]!.signal.aborted, "the one that was quiet is kept open");
  timers.pass(6_000);
  assert.equal(told.at(-1), "No data came for 5 s.");
});

Deno.test("the end of a stream that worked is no loss, if the next one works", async () => {
  const timers = new FakeTimers();
  const { fetch, opened } = new FakeServer();
  using _ = replaced({ fetch, setTimeout: timers.set, clearTimeout: timers.clear });
  const told: string[] = [];
  startFeed({ onMessage: (event) => told.push(event), onLost: (why) => told.push(why) });
  for (let n = 0; n < 5; n++) {
    await nextTurn();
    assert.equal(opened.length, n + 1, "it is opened again at once");
    timers.pass(2_900);
    await opened[n]!.send("state", {});
    await opened[n]!.send("alive", {});
    timers.pass(6_000);
    await opened[n]!.end();
  }
  assert.deepEqual(new Set(told), new Set(["state", "alive"]));

  timers.pass(2_900);
  assert.equal(told.at(-1), "alive");
  timers.pass(200);
  assert.equal(told.at(-1), "The server ended the stream.", "it has been away for 3 s");
  await opened[5]!.send("state", {});
  await opened[5]!.send("change", {});
  await opened[5]!.end();
  await nextTurn();
  await opened[6]!.end();
  assert.equal(told.at(-1), "The server ended the stream.", "the next one fails");
  assert.equal(opened.length, 7);
  timers.pass(1_000);
  assert.equal(opened.length, 8);
});

Deno.test("streams that end after the state are not opened ever faster", async () => {
  const timers = new FakeTimers();
  const { fetch, opened } = new FakeServer();
  using _ = replaced({ fetch, setTimeout: timers.set, clearTimeout: timers.clear });
  const told: string[] = [];
  startFeed({ onMessage: () => {}, onLost: (why) => told.push(why) });
  await nextTurn();
  await opened[0]!.send("state", {});
  await opened[0]!.end();
  timers.pass(900);
  assert.equal(opened.length, 1);
  timers.pass(100);
  await nextTurn();
  await opened[1]!.send("state", {});
  assert.deepEqual([opened.length, told], [2, []]);
});

Deno.test("a feed that is paused opens nothing and says nothing; it goes on when it is resumed", async () => {
  const timers = new FakeTimers();
  const { fetch, opened } = new FakeServer();
  using _ = replaced({ fetch, setTimeout: timers.set, clearTimeout: timers.clear });
  const told: string[] = [];
  const feed = startFeed({ onMessage: (event) => told.push(event), onLost: (why) => told.push(why) });
  await nextTurn();
  await opened[0]!.send("state", {});
  feed.pause();
  await nextTurn();
  timers.pass(60_000);
  assert.deepEqual([opened.length, opened[0]!.signal.aborted, told], [1, true, ["state"]]);
  feed.resume();
  feed.resume();
  await nextTurn();
  await opened[1]!.send("state", {});
  assert.deepEqual([opened.length, told], [2, ["state", "state"]]);
});

/** Puts these in the place of globals, until disposed of. */
function replaced(fakes: Readonly<Record<string, unknown>>): Disposable {
  const globals = globalThis as unknown as Record<string, unknown>;
  const before = Object.keys(fakes).map((name) => [name, globals[name]] as const);
  Object.assign(globals, fakes);
  return { [Symbol.dispose]: () => void Object.assign(globals, Object.fromEntries(before)) };
}
