import { targetPath } from "../dynamo/target.ts";
import { compareWorkerIds, type WorkerId } from "../dynamo/worker_id.ts";
import type { WorkerChange } from "../fleet/changes.ts";
import type { Snapshot, TargetSnapshot } from "../fleet/snapshot.ts";
import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import type { Instant } from "../timing.ts";
import { arrayJson } from "./array_json.ts";
import { ChangedNumbers } from "./changed_numbers.ts";
import { changeOf, findingsJson, headOf, open, targetHead } from "./fleet_json.ts";
import { timeText } from "./time_text.ts";
import { isSameButNumbers, workerJson } from "./worker_json.ts";

/**
 * The JSON of what differs between two Snapshots (docs/api/change.schema.json) in pieces that are to be put together: at
 * least one a worker, empty where there is nothing to tell of it.
 */
export function* changeJson(before: Snapshot, after: Snapshot): Generator<string> {
  const known = new Map(before.targets.map((shown) => [targetPath(shown.target), shown]));
  const findings = findingsJson(after);
  const isSame = JSON.stringify(findings) === JSON.stringify(findingsJson(before));
  yield `${open({ ...headOf(after), ...(!isSame && findings) })},"targets":[`;
  for (const [n, shown] of after.targets.entries()) {
    const previous = known.get(targetPath(shown.target));
    const changes = newChanges(previous, shown);
    const head = {
      ...targetHead(shown, after),
      ...(changes.length > 0 && { changes: changes.map(changeOf) }),
    };
    yield `${n === 0 ? "" : ","}${open(head)},"changed":[`;
    yield* workersJson(previous?.workers ?? [], shown.workers);
    yield "}";
  }
  yield "]}";
}

/** A change is noted once, as one value. */
function newChanges(before: TargetSnapshot | undefined, after: TargetSnapshot): readonly WorkerChange[] {
  if (before?.changes.log === after.changes.log) return [];
  const known = new Set(before?.changes.log);
  return after.changes.log.filter((change) => !known.has(change));
}

/** Both lists are ordered by id. */
function* workersJson(
  before: TargetSnapshot["workers"],
  after: TargetSnapshot["workers"],
): Generator<string> {
  const gone: WorkerId[] = [];
  const notSeen: WorkerId[] = [];
  const numbers = new ChangedNumbers();
  let seenAt: Instant | undefined;
  let separator = "";
  let n = 0;
  for (const worker of after) {
    while (n < before.length && compareWorkerIds(before[n]!.id, worker.id) < 0) gone.push(before[n++]!.id);
    const previous = before[n]?.id === worker.id ? before[n++] : undefined;
    if (previous === undefined || !isSameButNumbers(previous, worker) || isLater(previous, worker)) {
      yield separator + workerJson(worker);
      separator = ",";
      continue;
    }
    numbers.compare(previous, worker);
    if (isLater(worker, previous)) seenAt = later(seenAt, worker.lastAnswerAt!);
    else notSeen.push(worker.id);
    yield "";
  }
  for (const { id } of before.slice(n)) gone.push(id);
  yield "]";
  yield* numbers.json();
  yield ',"gone":';
  yield* idsJson(gone);
  if (seenAt !== undefined) yield `,"seen_at":"${timeText(seenAt)}"`;
  yield ',"not_seen":';
  yield* idsJson(notSeen);
}

function idsJson(ids: readonly WorkerId[]): Generator<string> {
  return arrayJson(ids, (id, values: WorkerId[]) => values.push(id));
}

/** Whether the last sign of life of `a` came after that of `b`; both have one, or neither. */
function isLater({ lastAnswerAt: a }: WorkerSnapshot, { lastAnswerAt: b }: WorkerSnapshot): boolean {
  return a !== undefined && b !== undefined && a.monotonicMs > b.monotonicMs;
}

function later(a: Instant | undefined, b: Instant): Instant {
  return a === undefined || b.monotonicMs > a.monotonicMs ? b : a;
}
