import assert from "node:assert/strict";
import { giveWay, Streak } from "../lib/timing.ts";
import { nextTurn } from "./helpers/next_turn.ts";

/** Works until it had to wait so often; tells of each time. */
async function work(slices: number, onSlice: () => void): Promise<void> {
  for (let n = 0; n < slices; n++) {
    let waiting: Promise<void> | undefined;
    do waiting = giveWay(); while (waiting === undefined);
    await waiting;
    onSlice();
  }
}

Deno.test("between two slices of long work sockets and timers have their turn", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using there = await Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port });
  using here = await listener.accept();
  let slices = 0;
  let sent = 0;
  const waited: number[] = [];
  const reading = (async () => {
    while (await here.read(new Uint8Array(1)) !== null) waited.push(slices - sent);
  })();
  await work(100, () => {
    slices++;
    if (slices % 10 !== 0) return;
    sent = slices;
    void there.write(new Uint8Array(1));
  });
  there.close();
  await reading;
  assert.equal(waited.length, 10);
  assert.ok(Math.max(...waited) <= 4, `it waited for so many slices: ${waited}`);
});

Deno.test("of several that work long each has its slice in turn", async () => {
  const order: string[] = [];
  await Promise.all(["a", "b", "c"].map((name) => work(3, () => order.push(name))));
  assert.deepEqual(order, ["a", "b", "c", "a", "b", "c", "a", "b", "c"]);
});

Deno.test("work that is done within a slice never waits", async () => {
  await nextTurn();
  assert.equal(giveWay(), undefined);
});

Deno.test("a streak begins anew after a gap that is too long", () => {
  const streak = new Streak(10, 0);
  for (const ms of [5, 15, 20]) streak.note(ms);
  assert.deepEqual(streak.span, { sinceMs: 0, untilMs: 20 });
  streak.note(31);
  assert.deepEqual(streak.span, { sinceMs: 31, untilMs: 31 });
  streak.note(40);
  assert.deepEqual(streak.span, { sinceMs: 31, untilMs: 40 });
});
