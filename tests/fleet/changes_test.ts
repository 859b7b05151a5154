import assert from "node:assert/strict";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { NO_CHANGES, type WorkerChange } from "../../lib/fleet/changes.ts";
import { lastChanges } from "../../lib/fleet/last_changes.ts";
import { emptyFleet } from "../../lib/fleet/fleet.ts";
import { apply } from "../helpers/fleet_at_once.ts";
import { endOf } from "../../lib/fleet/look.ts";
import { newWorker } from "../../lib/fleet/worker.ts";
import type { Answer } from "../../lib/scrape/answer.ts";
import {
  a,
  answer,
  at,
  b,
  card,
  etcd,
  etcdOfChannels,
  feed,
  late,
  limits,
  lost,
  observations,
  observed,
  round,
  seen,
  type Step,
  target,
  time,
} from "../helpers/fleet_steps.ts";

const c = "77" as WorkerId;

/** From one second to another, both included: a round with answers of these, and a look. */
function rounds(from: number, to: number, ...workers: readonly WorkerId[]): Step[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n).flatMap((second): Step[] => {
    const ms = 1_000 * second;
    return [[ms, round(second, ms, workers.map((id) => answer(id, second, ms)))], [ms + 1, time(second)]];
  });
}

/** The same while every round fails. */
function failedRounds(from: number, to: number): Step[] {
  return rounds(from, to).map(([ms, input]) =>
    input.kind === "round"
      ? [ms, { ...input, round: { ...input.round, outcome: "disconnected" as const } }]
      : [ms, input]
  );
}

function seenSince(sinceMs: number, steps: readonly Step[]): Step[] {
  return steps.map(([ms, input]) => [ms, input, seen(ms, sinceMs)]);
}

function shownOf({ kind, reason, worker, at: { monotonicMs } }: WorkerChange): string {
  return `${Math.floor(monotonicMs / 1_000)} ${
    worker === a ? "a" : worker === b ? "b" : "c"
  } ${kind} ${reason}`;
}

interface Story {
  readonly what: string;
  readonly steps: readonly Step[];
  readonly changes: readonly string[];
  /** How many losses matter at the end. */
  readonly lost?: number;
}

const STORIES: readonly Story[] = [
  {
    what: "workers that were there at the start",
    steps: [[0, etcd(0, true, a, b)], ...rounds(1, 9, a, b)],
    changes: [],
  },
  {
    what: "a worker that comes later",
    steps: [[0, etcd(0, true, a)], ...rounds(1, 9, a), [9_500, etcd(9, true, a, b)], ...rounds(10, 12, a, b)],
    changes: ["9 b new registered"],
  },
  {
    what: "a worker that comes later, without etcd",
    steps: [...rounds(1, 9, a), ...rounds(10, 12, a, b)],
    changes: ["10 b new heard"],
  },
  {
    what: "a worker that is killed: its lease ends ten seconds later",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      ...rounds(10, 18, a),
      [18_500, etcd(18, true, a)],
      ...rounds(19, 20, a),
    ],
    changes: ["12 b silent no_sign", "19 b gone silent"],
    lost: 1,
  },
  {
    what: "a worker that is killed, without etcd",
    steps: [...rounds(1, 9, a, b), ...rounds(10, 40, a)],
    changes: ["12 b silent no_sign", "39 b gone silent"],
    lost: 1,
  },
  {
    what: "a worker that takes its key out while it answers, and answers no more",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      [9_500, etcd(9, true, a)],
      ...rounds(10, 12, a),
    ],
    changes: ["10 b gone withdrawn"],
  },
  {
    what: "a worker that takes its key out, answers on while it drains, and ends",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      [9_500, etcd(9, true, a)],
      ...rounds(10, 30, a, b),
      ...rounds(31, 40, a),
    ],
    changes: ["33 b gone withdrawn"],
  },
  {
    what: "a worker that is stopped and goes on",
    steps: [[0, etcd(0, true, a, b)], ...rounds(1, 9, a, b), ...rounds(10, 15, a), ...rounds(16, 20, a, b)],
    changes: ["12 b silent no_sign", "16 b back heard"],
  },
  {
    what: "a worker that was lost, and is there again",
    steps: [...rounds(1, 9, a, b), ...rounds(10, 40, a), ...rounds(41, 45, a, b)],
    changes: ["12 b silent no_sign", "39 b gone silent", "41 b back came_again"],
  },
  {
    what: "a lost worker and one that takes its place",
    steps: [...rounds(1, 9, a, b), ...rounds(10, 40, a), ...rounds(41, 45, a, c)],
    changes: ["12 b silent no_sign", "39 b gone silent", "41 c new heard"],
  },
  {
    what: "two lost workers, of which one is replaced",
    steps: [...rounds(1, 9, a, b, c), ...rounds(10, 40, a), ...rounds(41, 45, a, b)],
    changes: [
      "12 c silent no_sign",
      "12 b silent no_sign",
      "39 c gone silent",
      "39 b gone silent",
      "41 b back came_again",
    ],
    lost: 2,
  },
  {
    what: "a lost worker, five minutes later",
    steps: [...rounds(1, 9, a, b), ...rounds(10, 340, a)],
    changes: ["12 b silent no_sign", "39 b gone silent"],
  },
  {
    what: "an outage of NATS, in which nobody is seen, and after which all are there",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      ...failedRounds(10, 20),
      ...rounds(21, 25, a, b),
    ],
    changes: [],
  },
  {
    what: "an outage of NATS in which a key vanishes",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      ...failedRounds(10, 20),
      [20_500, etcd(20, true, a)],
      ...rounds(21, 25, a),
    ],
    changes: ["21 b gone unknown"],
  },
  {
    what: "an outage of NATS, without etcd, so long that all are forgotten",
    steps: [...rounds(1, 9, a), ...failedRounds(10, 45), ...rounds(46, 47, a)],
    changes: ["39 a gone unknown", "46 a back came_again"],
  },
  {
    what: "an outage of NATS after which a worker needs a moment to be there again",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      ...failedRounds(10, 20),
      ...rounds(21, 22, a),
      ...rounds(23, 25, a, b),
    ],
    changes: [],
  },
  {
    what: "a break of ten seconds in which we did not run",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      [19_000, time(9), seen(9_500, 19_000)],
      [19_001, round(10, 19_001, []), seen(9_500, 19_000)],
      [19_002, time(10), seen(9_500, 19_000)],
      ...seenSince(19_000, rounds(20, 22, a, b)),
    ],
    changes: [],
  },
  {
    what: "a break of four seconds in which we did not run, and in which a worker took its key out",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      [14_000, round(10, 14_000, []), seen(9_500, 14_000)],
      [14_001, time(10), seen(9_500, 14_000)],
      [14_002, etcd(10, true, a), seen(9_500, 14_000)],
      ...seenSince(14_000, rounds(15, 22, a)),
    ],
    changes: ["15 b gone unknown"],
  },
  {
    what: "a server of NATS that hangs, without etcd, until the connection is given up",
    steps: [
      ...rounds(1, 9, a, b),
      ...rounds(10, 13).map(([ms, input]): Step => [ms, input, seen(9_900)]),
      ...failedRounds(14, 20),
      ...seenSince(21_000, rounds(21, 25, a, b)),
    ],
    changes: [],
  },
  {
    what: "a server of NATS that hangs for three seconds, while a worker takes its key out",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      ...rounds(10, 12).map(([ms, input]): Step => [ms, input, seen(9_900)]),
      [12_500, etcd(12, true, a), seen(9_900)],
      ...seenSince(12_900, rounds(13, 25, a, b)),
    ],
    changes: [],
  },
  {
    what: "a worker that was lost, answers once under its old name, and is there under a new one",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      ...rounds(10, 18, a),
      [18_500, etcd(18, true, a)],
      ...rounds(19, 20, a),
      ...rounds(21, 21, a, b),
      [21_500, etcd(21, true, a, c)],
      ...rounds(22, 30, a, c),
    ],
    changes: [
      "12 b silent no_sign",
      "19 b gone silent",
      "21 b back came_again",
      "21 c new registered",
      "24 b gone withdrawn",
    ],
  },
  {
    what: "a worker that was lost, and whose key is there again without it",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      ...rounds(10, 18, a),
      [18_500, etcd(18, true, a)],
      ...rounds(19, 20, a),
      [20_500, etcd(20, true, a, b)],
      ...rounds(21, 25, a),
      [25_500, etcd(25, true, a)],
    ],
    changes: ["12 b silent no_sign", "19 b gone silent", "25 b gone unknown"],
    lost: 1,
  },
  {
    what: "a worker that was lost, and whose key is there again before it is heard",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      ...rounds(10, 18, a),
      [18_500, etcd(18, true, a)],
      ...rounds(19, 20, a),
      [20_500, etcd(20, true, a, b)],
      ...rounds(21, 21, a),
      ...rounds(22, 22, a, b),
    ],
    changes: ["12 b silent no_sign", "19 b gone silent", "22 b back came_again"],
  },
  {
    what: "a worker that was lost before we did not run for a while",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      ...rounds(10, 18, a),
      [18_500, etcd(18, true, a)],
      ...rounds(19, 20, a),
      [40_000, time(20), seen(20_500, 40_000)],
      ...seenSince(40_000, rounds(41, 45, a)),
    ],
    changes: ["12 b silent no_sign", "19 b gone silent"],
    lost: 1,
  },
  {
    what: "a worker that is lost after we did not run for a while",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      [40_000, time(9), seen(9_500, 40_000)],
      ...seenSince(40_000, rounds(41, 50, a)),
      [50_500, etcd(50, true, a), seen(50_500, 40_000)],
      ...rounds(51, 52, a),
    ],
    changes: ["43 b silent no_sign", "51 b gone silent"],
    lost: 1,
  },
  {
    what: "counters that fall, of the same worker",
    steps: [
      [1_000, round(1, 1_000, [counting(1, 7)])],
      [1_001, time(1)],
      [2_000, round(2, 2_000, [counting(2, 9)])],
      [3_000, round(3, 3_000, [counting(3, 0)])],
      [4_000, round(4, 4_000, [counting(4, 0)])],
    ],
    changes: ["3 a restarted counters_fell"],
  },
  {
    what: "a page whose counters fall, of two ranks",
    steps: [
      [0, etcdOfChannels(true, [card(a, { ranks: 2 })])],
      [1_000, page(1_000, 50)],
      [1_001, time(0)],
      [2_000, page(2_000, 60)],
      [3_000, page(3_000, 4)],
      [4_000, page(4_000, 5)],
    ],
    changes: ["3 a restarted counters_fell"],
  },
  {
    what: "a worker that sends heartbeats, and is killed",
    steps: [
      [0, etcdOfChannels(true, [card(a)])],
      ...beats(1, 9),
      ...looks(10, 18),
      [18_500, etcdOfChannels(true, [])],
      ...looks(19, 20),
    ],
    changes: ["12 a silent no_sign", "18 a gone silent"],
    lost: 1,
  },
  {
    what:
      "one of two workers that send heartbeats, and is killed: its connection ends at once, its lease much later",
    steps: [
      [0, etcdOfChannels(true, [card(a), card(b, { worker: b })])],
      ...bothBeat(1, 9),
      [9_100, lost("b")],
      ...bothBeat(10, 30).filter((_, n) => n % 3 !== 1),
      [30_500, etcdOfChannels(true, [card(a)])],
      ...looks(31, 31),
    ],
    changes: ["12 b silent no_sign", "30 b gone silent"],
    lost: 1,
  },
  {
    what: "a worker that sends heartbeats, and takes its key out",
    steps: [[0, etcdOfChannels(true, [card(a)])], ...beats(1, 9), [9_500, etcdOfChannels(true, [])]],
    changes: ["9 a gone withdrawn"],
  },
  {
    what: "a worker that sends heartbeats, and is killed, while rounds fail",
    steps: [
      [0, etcdOfChannels(true, [card(a)])],
      ...beats(1, 9),
      ...failedRounds(10, 14),
    ],
    changes: ["12 a silent no_sign"],
  },
  {
    what: "a draining worker that answers on after we did not run for ten seconds",
    steps: [
      [0, etcd(0, true, a, b)],
      ...rounds(1, 9, a, b),
      [9_500, etcd(9, true, a)],
      ...rounds(10, 12, a, b),
      [22_000, time(12), seen(22_000, 22_000)],
      ...seenSince(22_000, rounds(23, 25, a, b)),
    ],
    changes: [],
  },
  {
    what: "a silent worker that is known by its events, and is then listed",
    steps: [
      ...beats(1, 9).map(([ms, input]): Step => [ms, input]),
      ...looks(10, 14),
      [14_500, etcdOfChannels(true, [card(a)])],
      ...looks(15, 16),
    ],
    changes: ["12 a silent no_sign"],
  },
  {
    what: "a worker that speaks only when its load changes: whether it ended or left is not known",
    steps: [
      [0, etcdOfChannels(true, [card(a)])],
      [1_000, observations(observed(1_000, a, { kind: "blocks", usedBlocks: 3 }))],
      ...looks(1, 30),
      [30_500, etcdOfChannels(true, [])],
    ],
    changes: ["30 a gone unknown"],
  },
];

for (const { what, steps, changes, lost = 0 } of STORIES) {
  Deno.test(`of ${what} these changes are remembered: ${changes.join(", ") || "none"}`, () => {
    const { fleet } = feed(...steps);
    assert.deepEqual(fleet.changes.log.map(shownOf), changes);
    assert.equal(fleet.changes.losses.reduce((sum, { count }) => sum + count, 0), lost, "lost");
  });
}

for (
  const [what, answered, lastRequest, end] of [
    ["answered the last question, three seconds ago", 7_000, 5, "withdrawn"],
    ["answered the last question, a minute ago", -50_000, 5, "unknown"],
    ["did not answer the last question, and was heard five seconds ago", 5_000, 6, "silent"],
    ["did not answer the last question, and was heard three seconds ago", 7_000, 6, "withdrawn"],
    ["was heard five seconds ago, while rounds fail", 5_000, undefined, "unknown"],
  ] as const
) {
  Deno.test(`with long polls, a worker whose key vanishes and that ${what} is gone: ${end}`, () => {
    const worker = { ...newWorker(a, true), answer: answer(a, 5, answered) };
    assert.equal(endOf(worker, { now: at(10_000), lastSeenRequest: lastRequest }), end);
  });
}

Deno.test("with long polls, a loss of a worker that was not called silent yet stays until another one is there", () => {
  const options = (ms: number) => ({
    now: at(ms),
    limits: { ...limits, staleAfterMs: 15_000 },
  });
  const both = (request: number, ms: number) =>
    round(request, ms, [answer(a, request, ms), answer(b, request, ms)]);
  const one = (request: number, ms: number) => round(request, ms, [answer(a, request, ms)]);
  let fleet = emptyFleet(target);
  const after = (...steps: Step[]) => {
    for (const [ms, input] of steps) fleet = apply(fleet, input, options(ms)).fleet;
    return fleet.changes.losses.length;
  };
  after([0, etcd(0, true, a, b)], [5_000, both(1, 5_000)], [5_001, time(1)], [10_000, one(2, 10_000)]);
  assert.equal(after([10_001, time(2)], [12_000, etcd(2, true, a)], [12_001, time(2)]), 0);
  assert.equal(after([15_000, one(3, 15_000)], [15_000, late()]), 1);
  assert.equal(after([15_001, time(3)], [20_000, one(4, 20_000)], [20_001, time(4)]), 1);
  assert.equal(
    after([25_000, both(5, 25_000)], [25_001, time(5)]),
    1,
    "one that is not listed takes nobody's place",
  );
  assert.equal(after([25_002, etcd(5, true, a, b)], [25_003, time(5)]), 0);
});

Deno.test("a silent worker's change has its last sign of life", () => {
  const { fleet } = feed(...rounds(1, 9, a, b), ...rounds(10, 40, a));
  assert.deepEqual(fleet.changes.log.map(({ seenAt }) => seenAt), [at(9_000), at(9_000)]);
  const [loss] = fleet.changes.losses;
  assert.deepEqual([loss!.workers, loss!.aliveBefore], [[b], 2]);
});

Deno.test("of ten thousand workers that are lost at once all are counted, and some are named", () => {
  const many = Array.from({ length: 10_000 }, (_, n) => String(1_000 + n) as WorkerId);
  const { fleet } = feed(...rounds(1, 3, a, ...many), ...rounds(4, 40, a));
  const { log, losses } = fleet.changes;
  assert.equal(log.length, 100);
  assert.deepEqual(losses.map(({ count, workers, aliveBefore }) => [count, workers.length, aliveBefore]), [[
    10_000,
    5,
    10_001,
  ]]);
});

Deno.test("newcomers push no end of a worker out of what is remembered", () => {
  const gone: WorkerChange = { at: at(1), worker: a, kind: "gone", reason: "silent" };
  const came: WorkerChange = { at: at(2), worker: b, kind: "new", reason: "heard" };
  const kept = lastChanges([
    gone,
    ...Array<WorkerChange>(1_000).fill(came),
    ...Array<WorkerChange>(99).fill(gone),
  ]);
  assert.deepEqual([kept.length, kept[0], kept[1]], [150, gone, came]);
  assert.equal(lastChanges(kept), kept, "what is not too long stays as it is");
});

Deno.test("nothing changes where nothing became of anybody", () => {
  const { fleet } = feed(...rounds(1, 9, a));
  const next = feed(...rounds(1, 20, a));
  assert.equal(fleet.changes.log, NO_CHANGES.log);
  assert.equal(next.fleet.changes.losses, NO_CHANGES.losses);
});

function counting(request: number, requests: number): Answer {
  const endpoints = [{ endpoint: "generate", requests, errors: 0, processingSeconds: 0 }];
  return { ...answer(a, request, 1_000 * request), endpoints };
}

function page(ms: number, prefixQueries: number): ReturnType<typeof observations> {
  return observations(
    ...[0, 1].map((dpRank) =>
      observed(ms, a, { kind: "page", numbers: { dpRank, running: 1, prefixHits: 1, prefixQueries } }, {
        dpRank,
        channel: "http",
      })
    ),
  );
}

/** Heartbeats of two workers, each by its own connection, and a look. */
function bothBeat(from: number, to: number): Step[] {
  return looks(from, to).flatMap(([ms, look]): Step[] => [
    [ms - 1, observations(observed(ms - 1, a, { kind: "heartbeat" }))],
    [ms - 1, observations(observed(ms - 1, b, { kind: "heartbeat" }, { via: "b" }))],
    [ms, look],
  ]);
}

function beats(from: number, to: number): Step[] {
  return looks(from, to).flatMap(([ms, look]): Step[] => [
    [ms - 1, observations(observed(ms - 1, a, { kind: "heartbeat" }))],
    [ms, look],
  ]);
}

function looks(from: number, to: number): Step[] {
  return Array.from({ length: to - from + 1 }, (_, n): Step => [1_000 * (from + n) + 1, time(0)]);
}
