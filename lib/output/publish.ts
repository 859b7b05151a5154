import { L2C_MIN_BYTES, l2cHead, L2cWriter } from "../dynamo/l2c.ts";
import { l2cSubject } from "../dynamo/subject.ts";
import { type Target, targetPath } from "../dynamo/target.ts";
import type { Snapshot, TargetSnapshot } from "../fleet/snapshot.ts";
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
  const writers = new Map<Target, AggregateWriter>();
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
      const writer = writers.getOrInsertComputed(target, () => new AggregateWriter(target));
      const isTooLarge = lastRound.decoded * L2C_MIN_BYTES > nats.maxPayload;
      const skipped = isTooLarge ? "max_payload" : nats.publish(l2cSubject(target), writer.write(shown));
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

/** Writes the aggregates of one target, one after the other. */
class AggregateWriter {
  readonly #endpoint: string;
  readonly #event = new L2cWriter();
  /** Those of the last aggregates, since a worker's head stays the same. */
  readonly #heads = new Map<WorkerId, { readonly service: string; readonly bytes: Uint8Array }>();

  constructor({ endpoint }: Target) {
    this.#endpoint = endpoint;
  }

  write({ workers, load }: TargetSnapshot): Uint8Array {
    for (const { id, load, service } of workers) {
      if (load !== undefined && service !== undefined) this.#event.add(this.#head(id, service.name), load);
    }
    if (this.#heads.size > 2 * workers.length) this.#heads.clear(); // Most are of workers that went.
    return this.#event.end({ loadAvg: load?.avg ?? NaN, loadStd: load?.std ?? NaN });
  }

  #head(worker: WorkerId, service: string): Uint8Array {
    const known = this.#heads.get(worker);
    if (known?.service === service) return known.bytes;
    const bytes = l2cHead(worker, { service, endpoint: this.#endpoint });
    this.#heads.set(worker, { service, bytes });
    return bytes;
  }
}
