import { l2cText } from "../dynamo/l2c.ts";
import { l2cSubject } from "../dynamo/subject.ts";
import { type Target, targetPath } from "../dynamo/target.ts";
import type { Snapshot, TargetSnapshot } from "../fleet/snapshot.ts";
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
      const skipped = nats.publish(l2cSubject(target), aggregateText(shown));
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

function aggregateText({ target, workers, load }: TargetSnapshot): string {
  const entries = workers.flatMap(({ id, load, service }) =>
    load && service ? [{ worker: id, service: service.name, load }] : []
  );
  return l2cText(entries, {
    endpoint: target.endpoint,
    loadAvg: load?.avg ?? NaN,
    loadStd: load?.std ?? NaN,
  });
}
