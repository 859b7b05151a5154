import { targetPath } from "../dynamo/target.ts";
import { findingsOf } from "../findings/findings.ts";
import type { WorkerChange } from "../fleet/changes.ts";
import { connectionOf, type Snapshot, type TargetSnapshot } from "../fleet/snapshot.ts";
import { totalsOf, troublesOf } from "../fleet/totals.ts";
import { timeText } from "./time_text.ts";
import { workerJson } from "./worker_json.ts";

/**
 * The JSON of the whole fleet (docs/api/fleet.schema.json) in pieces, one a worker, that are to be put together. `version` is
 * the program's.
 */
export function* fleetJson(snapshot: Snapshot, version?: string): Generator<string> {
  yield `${open({ ...headOf(snapshot), ...findingsJson(snapshot), version })},"targets":[`;
  for (const [n, target] of snapshot.targets.entries()) {
    yield `${n === 0 ? "" : ","}${
      open({ ...targetHead(target, snapshot), changes: target.changes.log.map(changeOf) })
    },"workers":[`;
    let separator = "";
    for (const worker of target.workers) {
      yield separator + workerJson(worker);
      separator = ",";
    }
    yield "]}";
  }
  yield "]}";
}

/** What stands before the targets: which Snapshot this is, and what is connected. */
export function headOf(snapshot: Snapshot): object {
  const { seq, at, connections } = snapshot;
  const [nats, store] = [connectionOf("nats", snapshot), connectionOf("store", snapshot)];
  return {
    seq,
    at: timeText(at),
    ...(nats && { nats: { connected: nats.connected, reconnects: nats.reconnects } }),
    ...(store && { etcd: { kind: store.kind, connected: store.connected } }),
    finding_counts: findingCounts(snapshot, ""),
    connections: connections.map(({ name, kind, connected, reason, since }) => ({
      name,
      kind,
      connected,
      reason,
      since: timeText(since),
    })),
  };
}

/** `about` is a target's path, or "" for what is about no single one. */
function findingCounts(snapshot: Snapshot, about: string): object {
  return Object.fromEntries(findingsOf(snapshot).countsOf.get(about) ?? []);
}

/** The findings that are listed, and how many there are beside; nothing of these if there are none. */
export function findingsJson(snapshot: Snapshot): object {
  const { listed, counts } = findingsOf(snapshot);
  const more = counts.values().reduce((sum, count) => sum + count, 0) - listed.length;
  const findings = listed.map(({ since, target, worker, ...finding }) => ({
    ...finding,
    since: since && timeText(since),
    target: target && targetPath(target),
    worker,
  }));
  return { findings, ...(more > 0 && { findings_more: more }) };
}

/** What stands before a target's workers: its name, and what they are together. */
export function targetHead(shown: TargetSnapshot, snapshot: Snapshot): object {
  const { target, target: { namespace, component, endpoint }, up, needsNats } = shown;
  return {
    namespace,
    component,
    endpoint,
    up,
    needs_nats: needsNats,
    aggregate: aggregateOf(shown),
    finding_counts: findingCounts(snapshot, targetPath(target)),
    losses: lossesOf(shown),
    changes_since: shown.changes.since && timeText(shown.changes.since),
  };
}

/** Of what became of workers what is told in the API. */
export function changeOf({ at, worker, kind, reason, seenAt }: WorkerChange): object {
  return { at: timeText(at), id: worker, kind, reason, last_seen_at: seenAt && timeText(seenAt) };
}

/** How many are named of those that were lost. */
const MAX_LOST_IDS = 5;

function lossesOf({ changes: { losses } }: TargetSnapshot): object | undefined {
  const last = losses.at(-1);
  if (last === undefined) return undefined;
  const ids = losses.toReversed().flatMap(({ workers }) => workers).slice(0, MAX_LOST_IDS);
  return { workers: losses.reduce((sum, { count }) => sum + count, 0), at: timeText(last.at), ids };
}

/** An object's JSON without its end, to be continued. */
export function open(object: object): string {
  return JSON.stringify(object).slice(0, -1);
}

function aggregateOf({ workers, workersByState, load, namespace, lastRound }: TargetSnapshot): object {
  const totals = totalsOf(workers);
  const troubles = troublesOf(workers);
  const { islBlocks, overlapBlocks } = namespace.hitRateTotals;
  return {
    workers: workersByState,
    load_avg: load?.avg,
    load_std: load?.std,
    kv_blocks_used: totals.blocksUsed,
    kv_blocks_total: totals.blocksTotal,
    kv_utilisation: totals.kvUtilisation,
    slots_active: totals.slotsActive,
    slots_total: totals.slotsTotal,
    slot_utilisation: totals.slotUtilisation,
    requests_waiting: totals.requestsWaiting,
    requests_in_flight: totals.requestsInFlight,
    workers_partial: troubles.partial,
    workers_stuck: troubles.stuck,
    ranks_silent: troubles.silentRanks,
    ...(islBlocks > 0 && { hit_rate: { isl_blocks: islBlocks, overlap_blocks: overlapBlocks } }),
    ...(lastRound && {
      round: {
        at: timeText(lastRound.endedAt),
        seconds: (lastRound.endedAt.monotonicMs - lastRound.sentAt.monotonicMs) / 1_000,
        failed: lastRound.failed,
        expected: lastRound.expected,
        answered: lastRound.answered,
        decoded: lastRound.decoded,
      },
    }),
  };
}
