import assert from "node:assert/strict";
import type { EngineEvent } from "./helpers/engine_capture.ts";
import { eventually, steadily } from "./helpers/eventually.ts";
import { PlayedEngine } from "./helpers/played_engine.ts";
import { assertShown } from "./helpers/shown_worker.ts";

const PASSES = "forward-pass-metrics";
const isHeartbeat = ({ isHeartbeat }: EngineEvent) => isHeartbeat;
const isPass = ({ topic, isHeartbeat }: EngineEvent) => topic === PASSES && !isHeartbeat;
const isIn = (phase: EngineEvent["phase"]) => (event: EngineEvent) => event.phase === phase;

const ONE_RANK = { total: 256, slots: 4, ranksExpected: undefined, ranksHeard: undefined };
const TWO_RANKS = { total: 512, slots: 8, ranksExpected: 2, ranksHeard: 2 };

/** Workers with requests in flight, whose passes came and then only heartbeats. */
const STUCK = [
  { folder: "1.6.1-vllm-0.31.0-stopped-worker", inFlight: 8 },
  { folder: "1.6.1-vllm-0.31.0", inFlight: 8 },
  { folder: "1.6.1-vllm-0.31.0-dp2", inFlight: 12 },
  { folder: "1.2.1-vllm-0.20.1", inFlight: 8 },
] as const;

for (const { folder, inFlight } of STUCK) {
  Deno.test(`the engine ${folder} is stuck while only heartbeats come and ${inFlight} requests are in flight`, async () => {
    await using engine = await PlayedEngine.start(folder, {
      page: `${folder}/worker1.metrics.under-load`,
      args: ["--stuck-after", "4"],
    });
    const worker_id = engine.worker;
    const text = new RegExp(`${inFlight} requests in flight, no forward pass for`);
    await engine.say(isPass);
    await engine.hears(PASSES);
    await engine.shows({ inFlight });
    const isFree = async () => {
      const { page, worker } = await engine.shown();
      assert.equal(page.value("dynamo_metrics_worker_stuck_seconds", { worker_id }), undefined);
      assert.equal(worker.stuck_since, undefined);
      assert.deepEqual(await engine.ready(), { status: "ok", reasons: [] });
    };
    await steadily(isFree, { forMs: 2_500 });
    await engine.say(isHeartbeat);
    const isStuck = async () => {
      const shown = await engine.shown();
      assertShown(shown, { inFlight });
      assert.equal(shown.worker.state, "responding");
      const seconds = shown.page.value("dynamo_metrics_worker_stuck_seconds", { worker_id });
      assert.ok(seconds !== undefined && seconds >= 4, `stuck for ${seconds} s`);
      assert.match(shown.worker.stuck_since, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      const apartMs = Date.now() - Date.parse(shown.worker.stuck_since) - seconds * 1_000;
      assert.ok(Math.abs(apartMs) < 2_000, `stuck since ${shown.worker.stuck_since}, for ${seconds} s`);
      const { status, reasons } = await engine.ready();
      assert.equal(status, "degraded");
      assert.equal(reasons.filter((reason) => text.test(reason)).length, 1, reasons.join("; "));
      const warned = engine.logged(/ WARN .*no forward pass/);
      assert.equal(warned.length, 1, engine.metrics.log());
      assert.ok(warned[0]!.includes(worker_id));
    };
    await eventually(isStuck);
    await steadily(isStuck, { forMs: 1_500 });
    assert.match(await engine.top(), text);
    await engine.say(isPass);
    await eventually(isFree);
    assert.equal(engine.logged(/ WARN .*no forward pass/).length, 1);
  });
}

Deno.test("a worker whose passes cannot be heard is never called stuck: its requests in flight are shown", async () => {
  await using engine = await PlayedEngine.start("1.6.1-vllm-0.31.0-defaults", {
    page: "1.6.1-vllm-0.31.0-defaults/worker1.metrics.under-load",
    args: ["--stuck-after", "1"],
  });
  await engine.say(isIn("load"));
  await engine.hears("kv_metrics");
  await engine.shows({ inFlight: 8 });
  await steadily(async () => {
    const { page, worker } = await engine.shown();
    assert.deepEqual(page.values("dynamo_metrics_worker_stuck_seconds"), []);
    assert.deepEqual([worker.state, worker.stuck_since], ["responding", undefined]);
    assert.deepEqual(await engine.ready(), { status: "ok", reasons: [] });
  }, { forMs: 3_000 });
  assert.deepEqual(engine.logged(/ WARN .*(in flight|forward pass|stuck)/), []);
});

/** Engines that never finished a pass: the first request waits for what is loaded late. */
const FIRST_PASS = [
  { folder: "1.6.1-vllm-0.31.0", inFlight: 8, ranks: ONE_RANK },
  { folder: "1.6.1-vllm-0.31.0-dp2", inFlight: 12, ranks: TWO_RANKS },
  { folder: "1.2.1-vllm-0.20.1", inFlight: 8, ranks: ONE_RANK },
] as const;

for (const { folder, inFlight, ranks } of FIRST_PASS) {
  Deno.test(`the engine ${folder} is not stuck before its first finished pass: ${inFlight} requests are in flight, and none started yet`, async () => {
    await using engine = await PlayedEngine.start(folder, {
      page: `${folder}/worker1.metrics.before-first-request`,
      args: ["--stuck-after", "1"],
    });
    engine.turnTo(
      `${folder}/worker1.metrics.before-first-request`,
      (text) =>
        text.replace(
          /^(dynamo_component_inflight_requests\{[^}]*dynamo_endpoint="generate"[^}]*\}) 0$/m,
          `$1 ${inFlight}`,
        ),
    );
    await engine.say(isIn("idle"));
    await engine.hears(PASSES);
    const isPending = async () => {
      const shown = await engine.shown();
      assertShown(shown, { ...ranks, running: 0, waiting: 0, inFlight });
      assert.equal(shown.worker.first_pass_pending, true);
      assert.equal(shown.worker.state, "responding");
      assert.deepEqual(shown.page.values("dynamo_metrics_worker_stuck_seconds"), []);
      assert.deepEqual(await engine.ready(), { status: "ok", reasons: [] });
    };
    await eventually(isPending);
    await steadily(isPending, { forMs: 3_000 });
    assert.deepEqual(engine.logged(/ WARN .*(in flight|forward pass|stuck)/), []);
    engine.turnTo(`${folder}/worker1.metrics.under-load`);
    await engine.say(isPass);
    await eventually(async () => assert.equal((await engine.shown()).worker.first_pass_pending, undefined));
  });
}

Deno.test("a rank whose heartbeats end is silent by name, while its worker responds", async () => {
  const folder = "1.6.1-vllm-0.31.0-dp2";
  await using engine = await PlayedEngine.start(folder, {
    page: `${folder}/worker1.metrics.before-first-request`,
  });
  await engine.say(isIn("idle"));
  await engine.keepsShowing({ ...TWO_RANKS, rankSilent: [0, 0] });
  await engine.say(({ dpRank, isHeartbeat }) => isHeartbeat && dpRank === 0);
  const isNamed = (line: string) => line.includes(engine.worker) && /\b1\b/.test(line);
  const isSilent = async () => {
    const shown = await engine.shown();
    assertShown(shown, { ...TWO_RANKS, ranksHeard: 1, rankSilent: [0, 1] });
    assert.equal(shown.worker.state, "responding");
    assert.equal(engine.logged(/rank.*silent|silent.*rank/i).filter(isNamed).length, 1, engine.metrics.log());
  };
  await eventually(isSilent); // Six seconds of them without a heartbeat.
  await steadily(isSilent, { forMs: 1_500 });
  assert.match(await engine.top(), /RANKS[^]* 1 of 2 /);
  await engine.say(isHeartbeat);
  await engine.shows({ ...TWO_RANKS, rankSilent: [0, 0] });
});
