import assert from "node:assert/strict";
import { Model } from "../../web/model.ts";
import type { Aggregate } from "../../lib/exposition/api_v1.ts";

const name = { namespace: "dynamo", component: "c", endpoint: "e" };

Deno.test("the hit rate of a moment is that of its own events, not of all since the server's start", () => {
  const model = new Model(() => {});
  const totals = [[100, 90], [100, 90], [110, 90], [130, 110], undefined, [8, 4], [4, 1]] as const;
  for (const [seconds, hitRate] of totals.entries()) {
    const message = { seq: seconds, at: at(seconds), now: at(seconds) };
    const head = { ...name, up: true, needs_nats: true, aggregate: aggregateOf(hitRate) };
    if (seconds === 0) model.onState({ ...message, targets: [{ ...head, workers: [] }] });
    else model.onChange({ ...message, targets: [{ ...head, changed: [], gone: [], not_seen: [] }] });
  }
  assert.deepEqual(
    model.series(name).values("hit_rate"),
    [null, null, 0, 1, null, 0.5, null],
  );
});

Deno.test("how old a state is, is told by the server's clock, and goes on by the fastest message", () => {
  const model = new Model(() => {});
  const age = () => Math.floor((model.nowMs - model.fleet.atMs) / 1_000);
  model.onState({ seq: 1, at: at(1_000), now: at(1_040), targets: [] });
  assert.equal(age(), 40);
  model.onAlive({ now: at(1_045) });
  assert.equal(age(), 45);
  model.onAlive({ now: at(1_030) });
  assert.equal(age(), 45, "one that was long on its way does not set the clock back");
  model.onState({ seq: 2, at: at(10), now: at(12), targets: [] });
  assert.equal(age(), 2, "a server with another clock");
});

Deno.test("over a restart of the server the charts keep what they had, and the outage is remembered", () => {
  const model = new Model(() => {});
  const head = { ...name, up: true, needs_nats: true, aggregate: { ...aggregateOf(undefined), load_avg: 3 } };
  const state = (seconds: number) =>
    model.onState({
      seq: 1,
      at: at(seconds),
      now: at(seconds),
      targets: [{ ...head, workers: [] }],
    });
  model.onLost("Not there yet.");
  state(100);
  assert.equal(model.outages.length, 0, "before the first state nothing was lost");
  model.onLost("Gone.");
  model.onLost("Still gone.");
  assert.equal(model.lostWhy, "Still gone.");
  state(120);
  assert.equal(model.lostAtMs, undefined);
  assert.deepEqual(model.series(name).times, [100, 100.001, 120]);
  assert.deepEqual(model.series(name).values("load_avg"), [3, null, 3]);
  assert.equal(model.outages.length, 1);
  const { atMs, seconds } = model.outages[0]!;
  assert.ok(atMs >= 100_000 && atMs < 110_000, `${atMs}`);
  assert.ok(seconds >= 0 && seconds < 10, `${seconds}`);
});

function aggregateOf(hitRate: readonly [isl: number, overlap: number] | undefined): Aggregate {
  return {
    workers: { responding: 0, silent: 0, discovered: 0, no_data: 0, undecodable: 0 },
    ...(hitRate && { hit_rate: { isl_blocks: hitRate[0], overlap_blocks: hitRate[1] } }),
  };
}

function at(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
