import assert from "node:assert/strict";
import { workerIdFromDecimal } from "../../lib/dynamo/worker_id.ts";
import type { WorkerSnapshot, WorkerState } from "../../lib/fleet/worker_snapshot.ts";
import { NewsOfWorkers } from "../../lib/news/worker_news.ts";
import { responding } from "../helpers/shown_fleet.ts";

function fleet(states: Readonly<Record<string, WorkerState>>): WorkerSnapshot[] {
  return Object.entries(states).map(([id, state]) => ({
    ...responding,
    id: workerIdFromDecimal(id)!,
    state,
    hasFallenSilent: state === "silent",
  }));
}

/** What is told of fleets, each shown for some seconds at one look a second. */
function told(shown: readonly (readonly [seconds: number, workers: WorkerSnapshot[]])[]): string[] {
  const news = new NewsOfWorkers();
  const lines: string[] = [];
  let second = 0;
  for (const [seconds, workers] of shown) {
    for (let n = 0; n < seconds; n++, second++) {
      for (const { fate, workers: count, ids, lost } of news.note(workers, second * 1_000)) {
        lines.push(`${second} ${fate} ${count} ${ids}${lost === 0 ? "" : ` lost ${lost}`}`);
      }
    }
  }
  return lines;
}

Deno.test("that a worker is silent, back or gone is told once, and a newcomer is no news", () => {
  assert.deepEqual(
    told([
      [3, fleet({ "2": "responding", "30": "responding" })],
      [3, fleet({ "2": "silent", "9": "discovered", "30": "responding" })],
      [3, fleet({ "2": "no_data", "9": "silent", "30": "responding" })],
      [30, fleet({ "2": "no_data" })],
    ]),
    ["4 silent 1 2", "7 back 1 2", "10 gone 2 9,30 lost 1", "14 silent 1 9"],
  );
});

Deno.test("of ten thousand workers at once it is told in one piece, whatever their order", () => {
  const ids = Array.from({ length: 10_000 }, (_, n) => String(n + 1));
  const all = (state: WorkerState) => fleet(Object.fromEntries(ids.map((id) => [id, state])));
  assert.deepEqual(
    told([[2, all("responding")], [20, all("silent")], [20, all("responding")], [20, []]]),
    ["3 silent 10000 1,2,3,4,5", "23 back 10000 1,2,3,4,5", "43 gone 10000 1,2,3,4,5"],
  );
});

Deno.test("of workers that come and go every second it is told every ten seconds", () => {
  const [well, silent] = [fleet({ "1": "responding" }), fleet({ "1": "silent" })];
  const looks = Array.from({ length: 60 }, (_, n) => [1, n % 2 === 0 ? well : silent] as const);
  assert.deepEqual(told(looks).map((line) => line.split(" ").slice(0, 3).join(" ")), [
    "2 silent 1",
    "3 back 1",
    "12 silent 5",
    "13 back 5",
    "22 silent 5",
    "23 back 5",
    "32 silent 5",
    "33 back 5",
    "42 silent 5",
    "43 back 5",
    "52 silent 5",
    "53 back 5",
  ]);
});

Deno.test("what is gathered is told although nothing more happens", () => {
  const news = new NewsOfWorkers();
  const [well, silent] = [fleet({ "1": "responding" }), fleet({ "1": "silent" })];
  news.note(well, 0);
  assert.deepEqual(news.note(silent, 100), []);
  assert.deepEqual(news.note(silent, 1_100), [{ fate: "silent", workers: 1, ids: ["1"], lost: 0 }]);
});
