import assert from "node:assert/strict";
import { ReadSchedule } from "../../lib/transport/read_schedule.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("each connection that waits is woken once, and again only when it asks again", async () => {
  const schedule = new ReadSchedule({ minIntervalMs: 16 });
  const turns = Array.from({ length: 40 }, () => schedule.enter());
  const woken = turns.map(() => 0);
  for (const [n, turn] of turns.entries()) turn.next(() => woken[n]!++);
  await eventually(() => assert.deepEqual(woken, turns.map(() => 1)));
  turns[7]!.next(() => woken[7]!++);
  await eventually(() => assert.equal(woken[7], 2));
  assert.equal(woken.reduce((sum, count) => sum + count), 41);
});

Deno.test("many connections wait for several timers' turns, not for one: nobody is woken with all others", async () => {
  const schedule = new ReadSchedule({ minIntervalMs: 16 });
  const moments = new Set<number>();
  let woken = 0;
  let moment = 0;
  const ticks = setInterval(() => moment++);
  for (let n = 0; n < 64; n++) {
    schedule.enter().next(() => {
      woken++;
      moments.add(moment);
    });
  }
  await eventually(() => assert.equal(woken, 64));
  clearInterval(ticks);
  assert.ok(moments.size > 1);
});

Deno.test("the interval grows with the number of connections, and falls when they go", () => {
  const schedule = new ReadSchedule();
  assert.equal(schedule.intervalMs, 200);
  const turns = Array.from({ length: 6_000 }, () => schedule.enter());
  assert.equal(schedule.intervalMs, 600);
  for (const turn of turns.slice(1_000)) turn[Symbol.dispose]();
  assert.equal(schedule.intervalMs, 200);
});
