import assert from "node:assert/strict";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import { NewsOfRanks } from "../../lib/news/rank_news.ts";
import { playedWorker } from "../helpers/played_fleet.ts";
import { rankOf } from "../helpers/plain_worker.ts";

const at = { monotonicMs: 0, epochMs: 0 };
const stuck = (id: string): WorkerSnapshot =>
  playedWorker(id, { numbers: { requestsInFlight: 8 }, stuckSince: at, stuckSeconds: 12.7 });
const partial = (id: string, heard: number) =>
  playedWorker(id, { coverage: { expected: 8, heard, blocks: 2, running: 2 } });
const silent = (id: string, ...ranks: number[]) =>
  playedWorker(id, { ranks: ranks.map((rank) => rankOf(rank, { isSilent: true })) });

/** What is told of fleets at seconds. */
function told(...steps: readonly (readonly [second: number, ...WorkerSnapshot[]])[]): string[] {
  const news = new NewsOfRanks();
  return steps.flatMap(([second, ...workers]) =>
    news.note(workers, second * 1_000).map(({ trouble, begins, names, count, text }) =>
      `${second} ${begins ? "" : "no longer "}${trouble} ${count}: ${names.join(", ")}${text && `; ${text}`}`
    )
  );
}

Deno.test("a stuck worker is told at once, once, and when it is no longer", () => {
  const text = "8 requests in flight, no forward pass for 12 s";
  assert.deepEqual(told([1, stuck("7")], [2, stuck("7")], [3], [7], [8, playedWorker("7")], [9]), [
    `1 stuck 1: 7; ${text}`,
    `7 no longer stuck 1: 7; ${text}`,
  ]);
});

Deno.test("what is away for a moment is the same trouble", () => {
  assert.deepEqual(told([1, stuck("7")], [2], [5, stuck("7")], [9]).length, 1);
});

Deno.test("silent ranks are told by worker and rank, of many the first", () => {
  assert.deepEqual(told([1, silent("7", 1), silent("8", 0, 3)]), [
    "1 silent_rank 3: 7 rank 1, 8 rank 0, 8 rank 3",
  ]);
  const many = Array.from({ length: 9 }, (_, n) => silent(String(n) as WorkerId, 0));
  assert.match(told([1, ...many])[0]!, /^1 silent_rank 9: 0 rank 0, .*4 rank 0$/);
});

Deno.test("numbers over some ranks are told when that lasts", () => {
  assert.deepEqual(told([1, partial("7", 4)], [3, partial("7", 6)], [5, partial("7", 8)], [20]), []);
  assert.deepEqual(told([1, partial("7", 4)], [6, partial("7", 4)], [9, partial("7", 8)], [12]), [
    "6 partial 1: 7; 4 of 8 ranks",
    "12 no longer partial 1: 7; 4 of 8 ranks",
  ]);
});
