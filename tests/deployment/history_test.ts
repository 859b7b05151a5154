import assert from "node:assert/strict";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { fleetHistoryJson, workerHistoryJson } from "../../lib/exposition/history_json.ts";
import { addHitRates, NO_HIT_RATES } from "../../lib/fleet/hit_rates.ts";
import { namespaceSnapshot, type Snapshot } from "../../lib/fleet/snapshot.ts";
import { History } from "../../lib/deployment/history.ts";
import type { LoadOutcome } from "../../lib/scrape/answer.ts";
import { assertSchema } from "../helpers/api_schema.ts";
import * as steps from "../helpers/fleet_steps.ts";
import { a, b } from "../helpers/fleet_steps.ts";
import { snapshotTarget } from "../helpers/fleet_at_once.ts";

/** A history whose time and Snapshots a test sets. */
class Setting {
  ms = 0;
  snapshot: Snapshot = {
    seq: 0,
    at: steps.at(0),
    connections: [],
    namespaces: [],
    targets: [],
  };
  readonly history: History;

  constructor(pollIntervalMs = 1_000) {
    this.history = new History({ snapshots: this, clock: () => steps.at(this.ms), pollIntervalMs });
    this.show();
  }

  show(...inputs: steps.Step[]): void {
    const { fleet } = steps.feed(...inputs);
    const shown = snapshotTarget(fleet, { now: steps.at(this.ms), limits: steps.limits });
    this.snapshot = { ...this.snapshot, targets: [shown] };
  }

  /** All these workers answer with so many blocks in use. */
  showWorkers(workers: readonly WorkerId[], outcome: LoadOutcome = steps.load(40)): void {
    const answers = workers.map((worker) => steps.answer(worker, 1, this.ms, outcome));
    this.show([this.ms, steps.round(1, this.ms, answers)]);
  }

  fleet() {
    const past = JSON.parse([...fleetHistoryJson(this.history.fleet())].join(""));
    assertSchema("history", past);
    return past;
  }

  worker(id: WorkerId) {
    const past = this.history.worker(id);
    if (past === undefined) return undefined;
    const json = JSON.parse([...workerHistoryJson(past)].join(""));
    assertSchema("history", json);
    return json;
  }
}

Deno.test("the fleet's past has a value each poll, and null where the load was not known", () => {
  const setting = new Setting();
  const { history } = setting;
  setting.history.takeFleet();
  setting.ms = 1_000;
  setting.showWorkers([a, b]);
  history.takeFleet();
  setting.ms = 2_000;
  setting.show([990, steps.round(1, 990, [steps.answer(a, 1, 990)])], [
    2_000,
    steps.round(2, 2_000, [], "disconnected"),
  ]);
  history.takeFleet();
  const { step_seconds, to, targets: [target] } = setting.fleet();
  assert.deepEqual([step_seconds, Date.parse(to)], [1, steps.at(2_000).epochMs]);
  assert.deepEqual(target.series.load_avg, [null, 40, null]);
  assert.deepEqual(target.series.kv_utilisation, [null, 0.4, null]);
  assert.deepEqual(target.series.responding, [0, 2, 1]);
  assert.deepEqual(target.series.round_seconds, [null, 0.005, null]);
  assert.deepEqual(target.series.hit_rate, [null, null, null]);
});

Deno.test("the hit rate is that of the step's events", () => {
  const setting = new Setting();
  let rates = NO_HIT_RATES;
  for (const [islBlocks, overlapBlocks] of [[10, 5], [0, 0], [10, 0]] as const) {
    rates = addHitRates(rates, [{ worker: a, islBlocks, overlapBlocks }], setting.ms);
    const [shown] = setting.snapshot.targets;
    const namespace = namespaceSnapshot("dynamo", rates);
    setting.snapshot = { ...setting.snapshot, targets: [{ ...shown!, namespace }] };
    setting.history.takeFleet();
    setting.ms += 1_000;
  }
  assert.deepEqual(setting.fleet().targets[0].series.hit_rate, [0.5, null, 0]);
});

Deno.test("moments that were left out are null, a timer that is a little early or late leaves none out", () => {
  const setting = new Setting();
  setting.showWorkers([a]);
  for (const ms of [500, 1_495, 3_100, 3_490, 6_500]) {
    setting.ms = ms;
    setting.history.takeFleet();
  }
  assert.deepEqual(setting.fleet().targets[0].series.load_avg, [40, 40, 40, 40, null, null, 40]);
});

Deno.test("what is older than a quarter of an hour is forgotten, and so is all when nothing was taken for longer", () => {
  const setting = new Setting();
  for (let n = 0; n < 1_000; n++) {
    setting.ms = n * 1_000;
    setting.showWorkers([a], steps.load(n % 100));
    setting.history.takeFleet();
  }
  const { load_avg } = setting.fleet().targets[0].series;
  assert.deepEqual([load_avg.length, load_avg[0], load_avg.at(-1)], [900, 0, 99]);
  setting.ms += 5_000_000;
  setting.history.takeFleet();
  const after = setting.fleet().targets[0].series.load_avg;
  assert.deepEqual([after.length, after.filter((value: unknown) => value !== null)], [900, [99]]);
});

Deno.test("a worker's past is at ten seconds, null while it is silent, and gone with the worker", () => {
  const setting = new Setting();
  const { history } = setting;
  const load = (more: object) =>
    ({ ...steps.load(41) as { kind: "load" }, load: { ...base, ...more } }) as LoadOutcome;
  const base = { shape: "flat7", activeSlots: 3, totalSlots: 8, activeBlocks: 41, totalBlocks: 100 };
  setting.showWorkers([a], load({ requestsWaiting: 70_000, cacheUsageRatio: 0.12344 }));
  history.takeWorkers();
  setting.ms = 10_000;
  setting.show([0, steps.round(1, 0, [steps.answer(a, 1, 0)])]);
  history.takeWorkers();
  setting.ms = 30_000;
  setting.showWorkers([a], load({}));
  history.takeWorkers();
  const { step_seconds, targets: [target] } = setting.worker(a);
  assert.equal(step_seconds, 10);
  assert.deepEqual(target.series, {
    kv_blocks_used: [41, null, null, 41],
    slots_active: [3, null, null, 3],
    requests_waiting: [65_534, null, null, null],
    cache_usage: [0.1234, null, null, 0.41],
  });
  assert.equal(setting.worker(b), undefined);
  setting.ms = 40_000;
  setting.showWorkers([b], load({}));
  assert.equal(setting.worker(a), undefined);
  history.takeWorkers();
  assert.deepEqual(setting.worker(b).targets[0].series.kv_blocks_used, [null, null, null, null, 41]);
});

Deno.test("the past of ten thousand workers takes at most 10 MB, and no more when others come in their place", () => {
  const setting = new Setting();
  const ids = (from: number) => Array.from({ length: 10_000 }, (_, n) => String(from + n) as WorkerId);
  setting.showWorkers(ids(100_000));
  setting.history.takeWorkers();
  const bytes = setting.history.workerBytes;
  assert.ok(bytes > 0 && bytes <= 10_000_000, `${bytes} bytes`);
  for (const from of [105_000, 200_000, 300_000]) {
    setting.ms += 10_000;
    setting.showWorkers(ids(from), steps.load(7));
    setting.history.takeWorkers();
    assert.equal(setting.history.workerBytes, bytes);
  }
  assert.deepEqual(setting.worker("300000" as WorkerId).targets[0].series.kv_blocks_used, [
    null,
    null,
    null,
    7,
  ]);
});
