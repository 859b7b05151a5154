import assert from "node:assert/strict";
import type { Said } from "../../lib/events/observation.ts";
import {
  a,
  answer,
  at,
  card,
  etcd,
  etcdOfChannels,
  feed,
  limits,
  load,
  lost,
  observations,
  observed,
  round,
  type Step,
} from "../helpers/fleet_steps.ts";
import { snapshotTarget } from "../helpers/fleet_at_once.ts";

const blocks = (usedBlocks: number) => ({ kind: "blocks", usedBlocks }) as const;
const pass = (running: number, waiting: number) => ({ kind: "forward_pass", running, waiting }) as const;
const listed: Step = [1, etcdOfChannels(true, [card(a)])];

function shown(ms: number, ...steps: Step[]) {
  const { fleet } = feed(...steps);
  return snapshotTarget(fleet, { now: at(ms), limits });
}

Deno.test("a worker's numbers are put together of its events and its card", () => {
  const { workers, load, up } = shown(
    10,
    listed,
    [10, observations(observed(8, a, blocks(50)), observed(9, a, pass(3, 2)))],
  );
  const { numbers, channels, state } = workers[0]!;
  assert.equal(state, "responding");
  assert.deepEqual(numbers, {
    activeBlocks: 50,
    totalBlocks: 512,
    activeSlots: 3,
    totalSlots: 4,
    requestsWaiting: 2,
    cacheUsageRatio: 50 / 512,
  });
  assert.deepEqual([...channels], ["event_zmq", "card"]);
  assert.equal(load?.avg, 50);
  assert.ok(up, "nothing comes by NATS");
});

Deno.test("ranks are added up, a card's totals are for each, and they are shown singly", () => {
  const { workers } = shown(
    10,
    [1, etcdOfChannels(true, [card(a, { ranks: 2 })])],
    [10, observations(observed(8, a, blocks(50)), observed(9, a, blocks(7), { dpRank: 1 }))],
  );
  const { numbers, ranks } = workers[0]!;
  assert.deepEqual([numbers.activeBlocks, numbers.totalBlocks, numbers.totalSlots], [57, 1_024, 8]);
  assert.deepEqual(ranks.map(({ dpRank, usedBlocks }) => [dpRank, usedBlocks]), [[0, 50], [1, 7]]);
});

Deno.test("of several channels the freshest wins, field by field", () => {
  const { workers } = shown(
    20,
    listed,
    [10, round(1, 10, [answer(a, 1, 10, load(40))])],
    [12, observations(observed(12, a, blocks(41)))],
  );
  assert.deepEqual([workers[0]!.numbers.activeBlocks, workers[0]!.numbers.totalBlocks], [41, 100]);
  const later = shown(
    20,
    listed,
    [12, observations(observed(12, a, blocks(41)))],
    [15, round(1, 15, [answer(a, 1, 15, load(40))])],
  );
  assert.equal(later.workers[0]!.numbers.activeBlocks, 40);
});

Deno.test("a router's estimate is never the worker's number, nor a sign of its life", () => {
  const estimate = { kind: "router", router: "9", activeDecodeBlocks: 33, activePrefillTokens: 7 } as const;
  const { workers } = shown(10, listed, [10, observations(observed(9, a, estimate))]);
  const [worker] = workers;
  assert.equal(worker!.state, "discovered");
  assert.equal(worker!.numbers.activeBlocks, undefined);
  assert.deepEqual(worker!.estimates, [
    { router: "9", dpRank: 0, activeDecodeBlocks: 33, activePrefillTokens: 7 },
  ]);
});

Deno.test("what came by a connection that is lost is no longer known", () => {
  const { workers } = shown(
    20,
    listed,
    [10, observations(observed(8, a, blocks(50)), observed(9, a, pass(3, 2), { via: "other" }))],
    [15, lost("z")],
  );
  const { activeBlocks, activeSlots } = workers[0]!.numbers;
  assert.deepEqual([activeBlocks, activeSlots], [undefined, 3]);
});

Deno.test("an older observation changes nothing, and one of nobody is only counted", () => {
  const page = { kind: "page", numbers: { dpRank: 0, running: 4 } };
  const { fleet, notes } = feed(
    listed,
    [10, observations(observed(9, a, blocks(50)))],
    [
      11,
      observations(
        observed(8, a, blocks(1)),
        ...[blocks(1), pass(1, 0), { kind: "heartbeat" }, page].map((said) =>
          observed(9, "77" as never, said as Said)
        ),
      ),
    ],
  );
  assert.equal(snapshotTarget(fleet, { now: at(11), limits }).workers[0]!.numbers.activeBlocks, 50);
  assert.equal(fleet.workers.size, 1);
  assert.deepEqual(
    notes.unheard.entries().map(([{ said }, reason]) => `${said.kind} ${reason}`).toArray(),
    ["blocks", "forward_pass", "heartbeat", "page"].map((kind) => `${kind} unknown_worker`),
  );
});

Deno.test("of a page that is newer than the events all numbers count, and its requests in flight are none of the worker's", () => {
  const page = {
    kind: "page",
    numbers: { dpRank: 0, inFlight: 5, running: 4, waiting: 1, cacheUsageRatio: 0.25 },
  } as const;
  const http = { channel: "http", via: "http://a/metrics" } as const;
  const { workers } = shown(
    10,
    listed,
    [10, observations(observed(8, a, blocks(50)), observed(8, a, pass(3, 2)), observed(9, a, page, http))],
  );
  assert.deepEqual(workers[0]!.numbers, {
    activeBlocks: 128,
    totalBlocks: 512,
    activeSlots: 4,
    totalSlots: 4,
    requestsWaiting: 1,
    requestsInFlight: 5,
    cacheUsageRatio: 0.25,
  });
  assert.deepEqual([...workers[0]!.channels], ["event_zmq", "http", "card"]);
});

Deno.test("a page's ranks are added up, and what it says of the whole engine is no rank's", () => {
  const rank = (dpRank: number, more: object) =>
    observed(9, a, { kind: "page", numbers: { dpRank, ...more } }, { dpRank, channel: "http" });
  const engine = observed(9, a, { kind: "page", numbers: { dpRank: "engine", inFlight: 9 } }, {
    dpRank: "engine",
    channel: "http",
  });
  const { workers } = shown(10, [1, etcdOfChannels(true, [card(a, { ranks: 3 })])], [
    10,
    observations(engine, rank(1, { running: 4 }), rank(2, { running: 3, waiting: 2 })),
  ]);
  const { numbers, ranks } = workers[0]!;
  assert.deepEqual([numbers.activeSlots, numbers.requestsWaiting], [7, 2]);
  assert.deepEqual(ranks.map(({ dpRank, running, waiting }) => [dpRank, running, waiting]), [
    [1, 4, undefined],
    [2, 3, 2],
  ]);
});

Deno.test("however many routers speak of a worker, its own words count, and the newest 256 estimates are kept", () => {
  const estimate = (router: number) => ({
    kind: "router" as const,
    router: String(router),
    activeDecodeBlocks: router,
    activePrefillTokens: undefined,
  });
  const routers = Array.from({ length: 300 }, (_, n) => observed(n, a, estimate(n)));
  const own = [0, 1].map((dpRank) => observed(400, a, { kind: "blocks", usedBlocks: 21 }, { dpRank }));
  const { fleet } = feed([1, etcd(0, true, a)], [500, observations(...routers, ...own)]);
  const [worker] = snapshotTarget(fleet, { now: at(500), limits }).workers;
  assert.equal(worker!.numbers.activeBlocks, 42);
  assert.deepEqual(
    worker!.estimates.map(({ router }) => Number(router)).toSorted((x, y) => x - y),
    Array.from({ length: 256 }, (_, n) => n + 44),
  );
});

Deno.test("all ranks of a worker are counted", () => {
  const ranks = Array.from({ length: 1_000 }, (_, dpRank) => [
    observed(10, a, { kind: "blocks", usedBlocks: 2 }, { dpRank }),
    observed(10, a, { kind: "forward_pass", running: 1, waiting: 3 }, { dpRank }),
  ]).flat();
  const { fleet } = feed([1, etcd(0, true, a)], [20, observations(...ranks)]);
  const { numbers } = snapshotTarget(fleet, { now: at(20), limits }).workers[0]!;
  assert.deepEqual(
    [numbers.activeBlocks, numbers.activeSlots, numbers.requestsWaiting],
    [2_000, 1_000, 3_000],
  );
});

Deno.test("a router's estimates go when it is no longer registered", () => {
  const estimate = { kind: "router", router: "9", activeDecodeBlocks: 1, activePrefillTokens: 2 } as const;
  const input = etcdOfChannels(true, [card(a)]);
  const steps: Step[] = [[1, input], [10, observations(observed(10, a, estimate))]];
  const estimates = (steps: Step[]) =>
    snapshotTarget(feed(...steps).fleet, { now: at(30), limits }).workers[0]!.estimates.length;
  assert.equal(estimates(steps), 1);
  assert.ok(input.kind === "membership");
  const without = { ...input, membership: { ...input.membership, publishers: new Set<string>() } };
  assert.equal(estimates([...steps, [20, without]]), 0);
  const away = { ...without, membership: { ...without.membership, known: false } };
  assert.equal(estimates([...steps, [20, away]]), 1);
});

Deno.test("told to do without NATS, a target without workers is up, and one whose workers need it is not", () => {
  const up = (steps: Step[], withNats: boolean) =>
    snapshotTarget(feed(...steps).fleet, { now: at(30), limits, withNats }).up;
  assert.equal(up([[1, etcd(0, true)]], false), true);
  assert.equal(up([[1, etcd(0, true)]], true), false);
  assert.equal(up([[1, etcd(0, true, a)]], false), false);
  assert.equal(up([[1, etcdOfChannels(true, [card(a)])]], false), true);
});
