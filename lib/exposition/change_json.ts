import { targetPath } from "../dynamo/target.ts";
import { compareWorkerIds, type WorkerId } from "../dynamo/worker_id.ts";
import type { Snapshot, TargetSnapshot } from "../fleet/snapshot.ts";
import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import type { Instant } from "../timing.ts";
import { headOf, open, targetHead } from "./fleet_json.ts";
import { saysTheSame, timeText, workerJson } from "./worker_json.ts";

/**
 * The JSON of what differs between two Snapshots (docs/api/change.schema.json) in pieces, one a worker, that are to be
 * put together; that of a worker that did not change is empty.
 */
export function* changeJson(before: Snapshot, after: Snapshot): Generator<string> {
  const known = new Map(before.targets.map((shown) => [targetPath(shown.target), shown.workers]));
  yield `${open(headOf(after))},"targets":[`;
  for (const [n, shown] of after.targets.entries()) {
    yield `${n === 0 ? "" : ","}${open(targetHead(shown))},"changed":[`;
    yield* workersJson(known.get(targetPath(shown.target)) ?? [], shown.workers);
    yield "}";
  }
  yield "]}";
}

/** Both lists are ordered by id. */
function* workersJson(
  before: TargetSnapshot["workers"],
  after: TargetSnapshot["workers"],
): Generator<string> {
  const gone: WorkerId[] = [];
  const notSeen: WorkerId[] = [];
  let seenAt: Instant | undefined;
  let separator = "";
  let n = 0;
  for (const worker of after) {
    while (n < before.length && compareWorkerIds(before[n]!.id, worker.id) < 0) gone.push(before[n++]!.id);
    const previous = before[n]?.id === worker.id ? before[n++] : undefined;
    if (previous === undefined || !saysTheSame(previous, worker)) {
      yield separator + workerJson(worker);
      separator = ",";
      continue;
    }
    if (isSeenSince(previous, worker)) seenAt = later(seenAt, worker.lastAnswerAt!);
    else notSeen.push(worker.id);
    yield "";
  }
  for (const { id } of before.slice(n)) gone.push(id);
  const seen = seenAt === undefined ? "" : `,"seen_at":"${timeText(seenAt)}"`;
  yield `],"gone":${JSON.stringify(gone)}${seen},"not_seen":${JSON.stringify(notSeen)}`;
}

function isSeenSince(previous: WorkerSnapshot, { lastAnswerAt }: WorkerSnapshot): boolean {
  return lastAnswerAt !== undefined && lastAnswerAt.monotonicMs !== previous.lastAnswerAt?.monotonicMs;
}

function later(a: Instant | undefined, b: Instant): Instant {
  return a === undefined || b.monotonicMs > a.monotonicMs ? b : a;
}
