import assert from "node:assert/strict";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { PagePoller } from "../../lib/pages/page_poller.ts";
import { logLines } from "../helpers/log_lines.ts";
import { systemClock } from "../../lib/timing.ts";
import { eventually } from "../helpers/eventually.ts";
import { PageServer } from "../helpers/page_server.ts";

const A = "161" as WorkerId;
const B = "178" as WorkerId;
const logged = logLines("info");
const RUNNING = "vllm:num_requests_running 3\n";

/** A poller with short times, and all that it gave. */
class Polled implements Disposable {
  readonly poller = new PagePoller({
    clock: systemClock,
    intervalMs: 20,
    keepMs: 300,
    timeoutMs: 100,
    onPage: () => {},
  });
  readonly #running = new Map<WorkerId, number | undefined>();
  readonly #lost = new Map<string, number>();

  take(): void {
    const batch = this.poller.take();
    for (const via of batch?.lost ?? []) this.#lost.set(via, (this.#lost.get(via) ?? 0) + 1);
    for (const { worker, numbers } of batch?.pages ?? []) this.#running.set(worker, numbers[0]!.running);
  }

  /** What was said since this was last asked for. */
  running(): Record<string, number | undefined> {
    this.take();
    const running = Object.fromEntries(this.#running);
    this.#running.clear();
    return running;
  }

  /** How often each was lost. */
  lost(): number[] {
    this.take();
    return [...this.#lost.values()];
  }

  [Symbol.dispose](): void {
    this.poller[Symbol.dispose]();
  }
}

function page(text: string): () => Response {
  return () => new Response(text);
}

Deno.test("a page is asked for again and again, until it is no longer wanted", async () => {
  await using server = new PageServer(page(RUNNING));
  using polled = new Polled();
  polled.poller.update(new Map([[`${server.origin}/metrics`, { workers: new Set([A]) }]]));
  await eventually(() => assert.deepEqual(polled.running(), { [A]: 3 }));
  server.answer = page("vllm:num_requests_running 4\n");
  await eventually(() => assert.deepEqual(polled.running(), { [A]: 4 }));
  polled.poller.update(new Map());
  assert.equal(polled.lost().length, 1);
  server.answer = page("vllm:num_requests_running 5\n");
  assert.deepEqual(polled.running(), {});
});

Deno.test("of a page that is of another worker nothing is taken, and of one of several only the own", async () => {
  const inflight = (hex: string, value: number) =>
    `dynamo_component_total_blocks{worker_id="${hex}"} ${value}\n`;
  await using server = new PageServer(page(inflight("b2", 7)));
  using polled = new Polled();
  polled.poller.update(new Map([[`${server.origin}/metrics`, { workers: new Set([A, B]) }]]));
  const pages = await eventually(() => {
    const { pages } = polled.poller.take() ?? { pages: [] };
    assert.ok(server.asked > 4 && pages.length > 0);
    return pages;
  });
  assert.deepEqual(pages.map(({ worker }) => worker), [B]);
  server.answer = page(inflight("a1", 6) + inflight("b2", 7));
  await eventually(() => {
    const { pages } = polled.poller.take() ?? { pages: [] };
    assert.deepEqual(pages.map(({ worker, numbers }) => [worker, numbers.map((rank) => rank.totalBlocks)]), [
      [A, [6]],
      [B, [7]],
    ]);
  });
});

const WRONG: readonly [what: string, answer: () => Response][] = [
  ["answers 500", () => new Response(RUNNING, { status: 500 })],
  ["answers 204", () => new Response(null, { status: 204 })],
  ["redirects", () => new Response(null, { status: 302, headers: { location: "/else" } })],
  ["is garbage", () => new Response(crypto.getRandomValues(new Uint8Array(60_000)))],
  ["has nothing of a worker", page("up 1\n")],
  ["is huge", () => new Response(RUNNING.padEnd(20_000_000, "#"))],
];

for (const [what, answer] of WRONG) {
  Deno.test(`a page that ${what} is lost once, asked for more and more seldom, and there again`, async () => {
    await using server = new PageServer(page(RUNNING));
    using polled = new Polled();
    polled.poller.update(new Map([[`${server.origin}/metrics`, { workers: new Set([A]) }]]));
    await eventually(() => assert.deepEqual(polled.running(), { [A]: 3 }));
    server.answer = (request) =>
      new URL(request.url).pathname === "/metrics" ? answer() : new Response(RUNNING);
    const before = server.asked;
    await eventually(() => assert.deepEqual(polled.lost(), [1]));
    polled.running();
    await eventually(() => assert.ok(server.asked - before >= 4));
    assert.deepEqual([polled.lost(), polled.running()], [[1], {}]);
    server.answer = page(RUNNING);
    await eventually(() => assert.deepEqual(polled.running(), { [A]: 3 }));
  });
}

Deno.test("a page that names no worker is nobody's when it may be of two, and asked for at once when it may not", async () => {
  await using server = new PageServer(page(RUNNING));
  using polled = new Polled();
  const url = `${server.origin}/metrics`;
  polled.poller.update(new Map([[url, { workers: new Set([A, B]) }]]));
  await eventually(() => assert.ok(server.asked >= 4));
  assert.deepEqual(polled.running(), {});
  polled.poller.update(new Map([[url, { workers: new Set([B]) }]]));
  await eventually(() => assert.deepEqual(polled.running(), { [B]: 3 }));
  polled.poller.update(new Map([[url, { workers: new Set([A]) }]]));
  await eventually(() => assert.deepEqual(polled.lost(), [1]));
  await eventually(() => assert.deepEqual(polled.running(), { [A]: 3 }));
});

const TOTAL = (hex: string, rank: number) =>
  `dynamo_component_total_blocks{dp_rank="${rank}",worker_id="${hex}"} 64\n`;

/** Whose page it is when the list names worker 161 (a1): how many ranks each worker has on it, and what is logged. */
const LISTED: readonly [
  what: string,
  text: string,
  ranks: Readonly<Record<string, number>>,
  log: string[],
][] = [
  ["names another worker", TOTAL("b2", 0) + TOTAL("b2", 1), { [A]: 2 }, ["listed=161 page=178"]],
  ["names nobody", "vllm:num_requests_running 3\n", { [A]: 1 }, []],
  ["names that worker", TOTAL("a1", 0), { [A]: 1 }, []],
  ["names that worker and another", TOTAL("a1", 0) + TOTAL("b2", 0) + TOTAL("b2", 1), { [A]: 1 }, []],
  ["names several others", TOTAL("b2", 0) + TOTAL("c3", 0), {}, []],
];

for (const [what, text, ranks, log] of LISTED) {
  Deno.test(`a page that is listed for a worker and ${what} is read as the list says`, async () => {
    logged.length = 0;
    await using server = new PageServer(page(text));
    using polled = new Polled();
    polled.poller.update(
      new Map([[`${server.origin}/metrics`, { workers: new Set([A]), listedAs: A }]]),
    );
    await eventually(() => assert.ok(server.asked >= 3));
    const { pages } = polled.poller.take() ?? { pages: [] };
    assert.deepEqual(Object.fromEntries(pages.map(({ worker, numbers }) => [worker, numbers.length])), ranks);
    const differences = logged.filter((line) => line.includes("the list counts"));
    assert.deepEqual(differences.map((line) => /listed=\S+ page=\S+/.exec(line)?.[0]), log);
  });
}

Deno.test("why a page is not read is known of its worker, and no longer when another page speaks of it", async () => {
  await using server = new PageServer(page(RUNNING));
  using polled = new Polled();
  const closed = "http://127.0.0.1:1/metrics?secret=1";
  polled.poller.update(new Map([[closed, { workers: new Set([A]) }]]));
  await eventually(() => {
    const problem = polled.poller.problems().get(A);
    assert.match(problem ?? "", /^http:\/\/127\.0\.0\.1:1\/metrics: connection refused/);
  });
  const url = `${server.origin}/metrics`;
  polled.poller.update(new Map([[closed, { workers: new Set([A]) }], [url, { workers: new Set([A]) }]]));
  await eventually(() => assert.equal(polled.poller.problems().size, 0));
});

Deno.test("a label that is not known to tell samples apart is logged once", async () => {
  logged.length = 0;
  const samples = 'vllm:num_requests_running{shard="0"} 1\nvllm:num_requests_running{shard="1"} 2\n';
  await using server = new PageServer(page(`${samples}vllm:num_requests_waiting 4\n`));
  using polled = new Polled();
  polled.poller.update(new Map([[`${server.origin}/metrics`, { workers: new Set([A]) }]]));
  await eventually(() => assert.ok(server.asked >= 3));
  const said = logged.filter((line) => line.includes("label"));
  assert.deepEqual(said.map((line) => /family=\S+ label=\S+/.exec(line)?.[0]), [
    "family=vllm:num_requests_running label=shard",
  ]);
});

Deno.test("each cause for which a page is not read is logged once, until it is there again", async () => {
  logged.length = 0;
  await using server = new PageServer(() => new Response(null, { status: 500 }));
  using polled = new Polled();
  const causes = () =>
    logged.filter((line) => line.includes("cannot be read")).map((line) => /cause=(.*)/.exec(line)?.[1]);
  polled.poller.update(new Map([[`${server.origin}/metrics`, { workers: new Set([A]) }]]));
  await eventually(() => assert.ok(server.asked >= 3));
  assert.equal(causes().length, 1);
  server.answer = () => new Response(null, { status: 503 });
  await eventually(() => assert.equal(causes().length, 2));
  assert.match(causes().join(" "), /500.*503/);
});

Deno.test("what a page said stands while it is late, and no longer than it may", async () => {
  await using server = new PageServer(page(RUNNING));
  using polled = new Polled();
  polled.poller.update(new Map([[`${server.origin}/metrics`, { workers: new Set([A]) }]]));
  await eventually(() => assert.deepEqual(polled.running(), { [A]: 3 }));
  const hung = Promise.withResolvers<void>();
  server.answer = async () => {
    await hung.promise;
    return new Response(RUNNING);
  };
  const before = server.asked;
  await eventually(() => assert.ok(server.asked - before >= 2));
  assert.deepEqual(polled.lost(), []);
  await eventually(() => assert.deepEqual(polled.lost(), [1]));
  hung.resolve();
});

Deno.test("pages that hang leave others their turns", async () => {
  const hung = Promise.withResolvers<void>();
  let atOnce = 0;
  await using hanging = new PageServer(async () => {
    atOnce++;
    await hung.promise;
    return new Response(RUNNING);
  });
  using _end = { [Symbol.dispose]: () => hung.resolve() }; // Whatever fails: a server ends when its answers have.
  await using server = new PageServer(page(RUNNING));
  using polled = new Polled();
  const pages = new Map([[`${server.origin}/metrics`, { workers: new Set([A]) }]]);
  polled.poller.update(pages);
  await eventually(() => assert.deepEqual(polled.running(), { [A]: 3 }));
  const sinceMs = performance.now();
  for (let n = 1_000; n < 1_200; n++) {
    pages.set(`${hanging.origin}/metrics?${n}`, { workers: new Set([`${n}` as WorkerId]) });
  }
  polled.poller.update(pages);
  await eventually(() => assert.ok(atOnce >= 16));
  const before = server.asked;
  await eventually(() => assert.ok(server.asked - before >= 5));
  const most = 16 * (1 + Math.ceil((performance.now() - sinceMs) / 100));
  assert.ok(hanging.asked <= most, `${hanging.asked} asked, at most 16 in 100 ms`);
});
