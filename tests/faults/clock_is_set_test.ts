// On an injected clock: the machine's own cannot be set by a test.
import assert from "node:assert/strict";
import { Deployment } from "../../lib/deployment/deployment.ts";
import { systemClock } from "../../lib/timing.ts";
import { NatsLink } from "../../lib/transport/nats.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { RawService, target } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { USER } from "../../tools/nats_users.ts";

const HOUR = 3_600_000;
Deno.test("a clock that is set back and forth by an hour moves the timestamps, and nobody's state or numbers", async () => {
  await using nats = await startNats();
  const stop = new AbortController();
  await using link = new NatsLink({ servers: [nats.url], name: "test", auth: USER, signal: stop.signal });
  await using raw = new RawService(nats.url);
  let isMute = false;
  raw.answer(({ reply }) => isMute || reply("a1", 40));
  let shiftMs = 0;
  const clock = () => {
    const { monotonicMs, epochMs } = systemClock();
    return { monotonicMs, epochMs: epochMs + shiftMs };
  };
  using deployment = new Deployment({
    targets: [target],
    nats: link,
    store: undefined,
    clock,
    recorder: { note() {} },
    pollIntervalMs: 50,
    workerUrls: [],
    channels: new Set(["stats"]),
    limits: { staleAfterMs: 5_000, forgetAfterMs: 50_000, stuckAfterMs: 10_000 },
  });
  const running = deployment.run(stop.signal);
  const shown = () => deployment.snapshot.targets[0]!;
  await eventually(() => assert.equal(shown().workersByState.responding, 1));
  const wrong: string[] = [];
  deployment.subscribe(({ targets: [target] }) => {
    if (target!.workersByState.responding !== 1 || !target!.load) {
      wrong.push(JSON.stringify(target!.workersByState));
    }
  });
  for (const shift of [HOUR, -HOUR, 0]) {
    isMute = true; // So that the last answer is of the time before.
    shiftMs = shift;
    const { request } = shown().lastRound!;
    await eventually(() => assert.ok(shown().lastRound!.request > request + 2));
    isMute = false;
    await eventually(() => {
      const aheadMs = shown().workers[0]!.lastAnswerAt!.epochMs - Date.now();
      assert.ok(Math.abs(aheadMs - shiftMs) < HOUR / 2);
    });
  }
  assert.deepEqual(wrong, []);
  stop.abort();
  await running;
});
