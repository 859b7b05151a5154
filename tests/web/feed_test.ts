import assert from "node:assert/strict";
import { startFeed } from "../../web/feed.ts";

/** The browser's, as far as the feed uses it; a test says what the server sends. */
class FakeEventSource extends EventTarget {
  static opened: FakeEventSource[] = [];
  onerror: (() => void) | undefined;

  constructor(readonly url: string) {
    super();
    FakeEventSource.opened.push(this);
  }

  send(event: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(event, { data: JSON.stringify(data) }));
  }

  close(): void {}
}

/** Timers that end when a test moves the time. */
class FakeTimers {
  #nowMs = 0;
  #next = 1;
  readonly #due = new Map<number, { readonly atMs: number; readonly act: () => void }>();

  readonly set = (act: () => void, ms: number): number => {
    this.#due.set(this.#next, { atMs: this.#nowMs + ms, act });
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

Deno.test("after a message that cannot be taken the stream is opened anew", () => {
  const timers = new FakeTimers();
  const reported: unknown[] = [];
  using _ = replaced({
    EventSource: FakeEventSource,
    setTimeout: timers.set,
    clearTimeout: timers.clear,
    reportError: (error: unknown) => reported.push(error),
  });
  const problem = new RangeError("2 values of kv_blocks_used are told of 1 that are there");
  const told: string[] = [];
  const opened: FakeEventSource[] = FakeEventSource.opened = [];
  startFeed({
    onState: () => told.push("state"),
    onChange: () => {
      throw problem;
    },
    onAlive: () => {},
    onLost: () => told.push("lost"),
  });
  opened[0]!.send("state", {});
  opened[0]!.send("change", {});
  assert.deepEqual([told, reported], [["state", "lost"], [problem]]);
  timers.pass(1_000);
  opened[1]!.send("state", {});
  assert.deepEqual(told, ["state", "lost", "state"]);
  opened[1]!.send("change", {}); // Another release's server, perhaps: it is not asked ever faster for the whole.
  timers.pass(1_000);
  assert.equal(opened.length, 2);
  timers.pass(500);
  assert.equal(opened.length, 3);
});

Deno.test("a stream that says it is alive is kept; one that says nothing is opened anew", () => {
  const timers = new FakeTimers();
  using _ = replaced({
    EventSource: FakeEventSource,
    setTimeout: timers.set,
    clearTimeout: timers.clear,
  });
  const told: string[] = [];
  FakeEventSource.opened = [];
  startFeed({
    onState: () => told.push("state"),
    onChange: () => told.push("change"),
    onAlive: ({ now }) => told.push(now),
    onLost: () => told.push("lost"),
  });
  const { opened } = FakeEventSource;
  opened[0]!.send("state", {});
  for (let n = 1; n <= 10; n++) {
    timers.pass(6_000);
    opened[0]!.send("alive", { now: `${n}` });
  }
  assert.equal(opened.length, 1);
  assert.deepEqual(told, ["state", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
  timers.pass(11_000);
  assert.equal(opened.length, 2);
  timers.pass(6_000);
  assert.equal(told.at(-1), "lost");
});

/** Puts these in the place of globals, until disposed of. */
function replaced(fakes: Readonly<Record<string, unknown>>): Disposable {
  const globals = globalThis as unknown as Record<string, unknown>;
  const before = Object.keys(fakes).map((name) => [name, globals[name]] as const);
  Object.assign(globals, fakes);
  return { [Symbol.dispose]: () => void Object.assign(globals, Object.fromEntries(before)) };
}
