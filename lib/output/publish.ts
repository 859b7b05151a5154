import { L2C_MIN_BYTES, type L2cEntry, l2cHead, l2cText } from "../dynamo/l2c.ts";
import { l2cSubject } from "../dynamo/subject.ts";
import { type Target, targetPath } from "../dynamo/target.ts";
import type { Snapshot, TargetSnapshot, WorkerSnapshot } from "../fleet/snapshot.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import { logger } from "../log.ts";
import type { NatsLink, SkipReason } from "../transport/nats.ts";

export interface PublisherOptions {
  readonly nats: NatsLink;
  /** Tells every new Snapshot. */
  readonly snapshots: { subscribe(listener: (snapshot: Snapshot) => void): Disposable };
  /** Told of each aggregate that was due: undefined when it was sent. */
  readonly onPublish: (target: Target, skipped: SkipReason | undefined) => void;
}

/**
 * Republishes the aggregate of each round in which somebody answered, as the original did. One that the server would not
 * take is left out: the original's process ended at it. Ends when it is disposed of.
 */
export function publishAggregates({ nats, snapshots, onPublish }: PublisherOptions): Disposable {
  const log = logger("publish");
  const lastRequests = new Map<Target, number>();
  const oversized = new Set<Target>();
  const heads = new Heads();
  const ends = new DisposableStack();
  ends.use(nats.listen({
    onRefused: (operation, subject) => { // The connection says it; here it is counted.
      if (operation !== "publish") return;
      for (const target of lastRequests.keys()) {
        if (l2cSubject(target) === subject) onPublish(target, "permission");
      }
    },
  }));
  ends.use(snapshots.subscribe(({ targets }) => {
    for (const shown of targets) {
      const { target, lastRound } = shown;
      if (lastRound === undefined || lastRound.request === lastRequests.get(target)) continue;
      lastRequests.set(target, lastRound.request);
      if (lastRound.failed || lastRound.answered === 0) continue;
      const isTooLarge = lastRound.decoded * L2C_MIN_BYTES > nats.maxPayload;
      const skipped = isTooLarge
        ? "max_payload"
        : nats.publish(l2cSubject(target), aggregateText(shown, heads));
      onPublish(target, skipped);
      if (skipped === "max_payload" && !oversized.has(target)) {
        log.warn("The aggregate is larger than NATS takes and is left out", { target: targetPath(target) });
      }
      if (skipped === "max_payload") oversized.add(target);
      else oversized.delete(target);
    }
  }));
  return ends;
}

function aggregateText({ target, workers, load }: TargetSnapshot, heads: Heads): string {
  const entries = heads.of(target, workers);
  return l2cText(entries, { loadAvg: load?.avg ?? NaN, loadStd: load?.std ?? NaN });
}

/** The heads of the workers of the last aggregate of each target, since they stay the same. */
class Heads {
  readonly #known = new Map<Target, Map<WorkerId, { readonly service: string; readonly head: string }>>();

  of(target: Target, workers: readonly WorkerSnapshot[]): L2cEntry[] {
    const { endpoint } = target;
    const known = this.#known.get(target);
    const now = new Map<WorkerId, { service: string; head: string }>();
    const entries: L2cEntry[] = [];
    for (const { id, load, service: answered } of workers) {
      if (load === undefined || answered === undefined) continue;
      const service = answered.name;
      const before = known?.get(id);
      const entry = before?.service === service
        ? before
        : { service, head: l2cHead(id, { service, endpoint }) };
      now.set(id, entry);
      entries.push({ head: entry.head, load });
    }
    this.#known.set(target, now);
    return entries;
  }
}
