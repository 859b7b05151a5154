import assert from "node:assert/strict";
import { rankOf, UNTROUBLED } from "../helpers/plain_worker.ts";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Change, Fleet } from "../../lib/exposition/api_v1.ts";
import type { Mutable } from "../../lib/dynamo/load.ts";
import { compareWorkerIds, type WorkerId } from "../../lib/dynamo/worker_id.ts";
import { changeJson } from "../../lib/exposition/change_json.ts";
import { fleetJson } from "../../lib/exposition/fleet_json.ts";
import { timeText } from "../../lib/exposition/time_text.ts";
import { NO_CHANGES, type WorkerChange } from "../../lib/fleet/changes.ts";
import { lastChanges } from "../../lib/fleet/last_changes.ts";
import type { Snapshot, TargetSnapshot } from "../../lib/fleet/snapshot.ts";
import { WORKER_STATES, type WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import { FleetView } from "../../lib/view/fleet_view.ts";
import { assertSchema } from "../helpers/api_schema.ts";
import * as steps from "../helpers/fleet_steps.ts";
import { snapshot as shown } from "../helpers/shown_fleet.ts";

const SEEDS = [1, 2, 3, 4];
const STEPS = 150;
const MAX_WORKERS = 8;

for (const seed of SEEDS) {
  Deno.test(`a state and the changes after it make of a reader's view the states after it (seed ${seed})`, () => {
    const random = new Random(seed);
    let before = snapshotOf(0, []);
    let moment: Moment = { whole: fleetOf(before), told: fleetOf(before) };
    const view = new FleetView();
    view.replace(fleetOf(before));
    let numbers = 0;
    for (let seq = 1; seq <= STEPS; seq++) {
      const after = snapshotOf(
        seq,
        random.workersAfter(before.targets[0]!.workers, seq),
        random.changesAfter(before.targets[0]!.changes, seq),
      );
      const change: Change = parse(changeJson(before, after));
      assertSchema("change", { ...change, now: timeText(after.at) });
      numbers += change.targets[0]!.numbers?.id.length ?? 0;
      view.apply(change);
      const next = { whole: fleetOf(after), told: structuredClone(view.state()) };
      assert.deepEqual(next.told, withSeenAsTold(moment, next));
      [before, moment] = [after, next];
    }
    assert.ok(numbers > STEPS, `only ${numbers} workers were told by their numbers alone`);
  });
}

function fleetOf(snapshot: Snapshot): Fleet {
  return parse(fleetJson(snapshot));
}

function parse<Value>(pieces: Iterable<string>): Value {
  return JSON.parse([...pieces].join(""));
}

interface Moment {
  /** What the API says. */
  readonly whole: Fleet;
  /** What a reader has of it. */
  readonly told: Fleet;
}

/**
 * The whole after, with what is told of when workers were seen where that may stand for it: of one that was seen since, the
 * last sign of life of all; of one that was not, what was told before.
 */
function withSeenAsTold(before: Moment, after: Moment): Fleet {
  const [was, is, toldBefore, told] = [before.whole, after.whole, before.told, after.told].map(seenById);
  const newest = [...is!.values()].filter((seen) => seen !== undefined).toSorted().at(-1)!;
  const workers = after.whole.targets[0]!.workers.map((worker) => {
    const { id, last_seen_at } = worker;
    const [from, to, said] = [was!.get(id), last_seen_at, told!.get(id)];
    if (from === undefined || to === undefined || said === undefined) return worker;
    const isTrue = to > from ? to <= said && said <= newest : to === from && said === toldBefore!.get(id);
    return isTrue ? { ...worker, last_seen_at: said } : worker;
  });
  return { ...after.whole, targets: [{ ...after.whole.targets[0]!, workers }] };
}

function seenById({ targets: [target] }: Fleet): ReadonlyMap<string, string | undefined> {
  return new Map(target!.workers.map(({ id, last_seen_at }) => [id, last_seen_at]));
}

function snapshotOf(
  seq: number,
  workers: readonly WorkerSnapshot[],
  changes: TargetSnapshot["changes"] = NO_CHANGES,
): Snapshot {
  const workersByState = { discovered: 0, responding: 0, no_data: 0, undecodable: 0, silent: 0 };
  for (const { state } of workers) workersByState[state]++;
  return {
    ...shown,
    seq,
    at: atOf(seq),
    targets: [{ ...shown.targets[0]!, workers, workersByState, changes }],
  };
}

function atOf(seq: number) {
  return steps.at(1_000 * seq);
}

/** Workers that come, go, and change in few things at once, so that one that is overlooked is not told by chance. */
class Random {
  readonly #generator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  workersAfter(before: readonly WorkerSnapshot[], seq: number): WorkerSnapshot[] {
    const there = new Map(before.map((worker) => [worker.id, worker]));
    for (const id of there.keys()) if (this.#isOneIn(20)) there.delete(id);
    if (there.size < MAX_WORKERS && this.#isOneIn(3)) {
      const id = String(this.#below(2_000)) as WorkerId;
      if (!there.has(id)) there.set(id, this.#newcomer(id));
    }
    const isSeen = this.#isOneIn(2);
    return [...there.values()].sort((a, b) => compareWorkerIds(a.id, b.id)).map((worker) => {
      const after = this.#changed(worker);
      if (isSeen && !this.#isOneIn(3)) after.lastAnswerAt = steps.at(1_000 * seq - this.#below(900));
      else if (this.#isOneIn(20)) after.lastAnswerAt = this.#of([undefined, steps.at(this.#below(1_000))]);
      return after;
    });
  }

  /** None, one or many new changes, and losses that come and go. */
  changesAfter({ log, losses, since }: TargetSnapshot["changes"], seq: number): TargetSnapshot["changes"] {
    const count = this.#isOneIn(3) ? this.#below(this.#isOneIn(10) ? 200 : 4) : 0;
    const news = Array.from({ length: count }, (): WorkerChange => {
      const about = { at: atOf(seq), worker: String(this.#below(2_000)) as WorkerId };
      return this.#of<WorkerChange>([
        { ...about, kind: "new", reason: "registered" },
        { ...about, kind: "back", reason: "heard" },
        { ...about, kind: "gone", reason: "silent", seenAt: steps.at(this.#below(1_000)) },
      ]);
    });
    const loss = { at: atOf(seq), count: 1, workers: ["7" as WorkerId], aliveBefore: 1 };
    return {
      log: count === 0 ? log : lastChanges([...log, ...news]),
      losses: this.#isOneIn(5) ? [] : this.#isOneIn(5) ? [...losses, loss] : losses,
      since: since ?? (this.#isOneIn(9) ? atOf(seq) : undefined),
    };
  }

  #newcomer(id: WorkerId): WorkerSnapshot {
    return {
      id,
      state: "responding",
      hasFallenSilent: false,
      registered: undefined,
      lastAnswerAt: undefined,
      load: undefined,
      numbers: {},
      blocksAt: undefined,
      ranks: [],
      estimates: [],
      channels: new Set(),
      card: undefined,
      release: undefined,
      service: undefined,
      endpoints: [],
      ...UNTROUBLED,
    };
  }

  /** Most of the time a number alone, or nothing. */
  #changed(worker: WorkerSnapshot): Mutable<WorkerSnapshot> {
    const after: Mutable<WorkerSnapshot> = { ...worker };
    if (this.#isOneIn(3)) after.numbers = this.#counted(after.numbers, NUMBERS);
    if (this.#isOneIn(5)) after.ranks = after.ranks.map((rank) => this.#counted(rank, RANK));
    if (this.#isOneIn(5)) after.estimates = after.estimates.map((item) => this.#counted(item, ESTIMATE));
    if (this.#isOneIn(5)) after.endpoints = after.endpoints.map((item) => this.#counted(item, COUNTERS));
    if (this.#isOneIn(6)) Object.assign(after, this.#of(this.#labels(after)));
    return after;
  }

  #labels({ id, numbers }: WorkerSnapshot): readonly Partial<WorkerSnapshot>[] {
    const name = this.#of(["e", "f", "\ud800", "\ufffd"]);
    return [
      { state: this.#of(WORKER_STATES) },
      { registered: this.#of([undefined, false, true]) },
      { release: this.#of([undefined, "1.6.0", "1.6.1"]) },
      { service: this.#of([undefined, { name, version: "1" }, { name, version: "2" }]) },
      {
        load: this.#of([undefined, {
          shape: "flat4",
          activeSlots: 1,
          totalSlots: 1,
          activeBlocks: 1,
          totalBlocks: 1,
        }]),
      },
      {
        card: this.#of([
          undefined,
          steps.card(id, { model: name }),
          steps.card(id, { workerType: "decode" }),
        ]),
      },
      {
        channels: this.#of([
          new Set(),
          new Set(["stats" as const]),
          new Set(["stats" as const, "card" as const]),
        ]),
      },
      {
        ranks: this.#list((n) =>
          rankOf(2 * n + this.#below(2), {
            usedBlocks: numbers.activeBlocks,
            running: 1,
            isSilent: [undefined, false, true][n % 3],
          })
        ),
      },
      {
        estimates: this.#list((n) => ({
          router: name,
          dpRank: 2 * n + this.#below(2),
          activeDecodeBlocks: undefined,
          activePrefillTokens: 2,
        })),
      },
      {
        endpoints: this.#list((n) => ({
          endpoint: n === 0 ? name : this.#of(["e", "f", "\ufffd", "g"]),
          requests: 1,
          errors: undefined,
          processingSeconds: 0.5,
        })),
      },
    ];
  }

  /** With another value of one of these numbers, or without it. */
  #counted<Item extends object>(item: Item, names: readonly string[]): Item {
    const [name, value] = [this.#of(names), this.#of([undefined, 0, 1, 2.5])];
    const { [name]: _, ...others } = item as Record<string, unknown>;
    return (value === undefined ? others : { ...others, [name]: value }) as Item;
  }

  #list<Item>(item: (n: number) => Item): Item[] {
    return Array.from({ length: this.#below(4) }, (_, n) => item(n));
  }

  #of<Value>(values: readonly Value[]): Value {
    return values[this.#below(values.length)]!;
  }

  #isOneIn(count: number): boolean {
    return this.#below(count) === 0;
  }

  #below(end: number): number {
    return uniformInt(this.#generator, 0, end - 1);
  }
}

const NUMBERS = [
  "activeBlocks",
  "totalBlocks",
  "activeSlots",
  "totalSlots",
  "requestsWaiting",
  "cacheUsageRatio",
  "prefixHitRatio",
];
const RANK = ["usedBlocks", "running", "waiting"];
const ESTIMATE = ["activeDecodeBlocks", "activePrefillTokens"];
const COUNTERS = ["requests", "errors", "processingSeconds"];
