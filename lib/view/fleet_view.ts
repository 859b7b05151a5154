import type {
  Aggregate,
  Change,
  Fleet,
  Losses,
  Target,
  TargetChange,
  TargetHead,
  TargetName,
  Worker,
  WorkerChange,
} from "../exposition/api_v1.ts";
import { lastChanges } from "../fleet/last_changes.ts";
import { byId } from "./order.ts";
import { shownName } from "./printable.ts";
import { findingsAfter, type ToldFindings } from "./told_findings.ts";
import { searchText } from "./filter.ts";
import { putNumbers } from "./put_numbers.ts";

/** A worker as a reader has it. The row stays; the record in it is replaced, or has its numbers written to. */
export interface Row {
  worker: Worker;
  /** Its last sign of life, in milliseconds of the server's clock; undefined when it never gave one. */
  seenMs: number | undefined;
  /** What the text filter looks at, in lower case. */
  haystack: string;
}

/** One target as a reader has it, kept up to date by the messages of the stream. */
export class TargetView {
  readonly name: TargetName;
  readonly rows = new Map<string, Row>();
  up!: boolean;
  needsNats!: boolean;
  aggregate!: Aggregate;
  losses: Losses | undefined;
  /** What became of workers lately, oldest first. */
  changes: readonly WorkerChange[] = [];
  changesSince: string | undefined;

  constructor(target: TargetHead) {
    const { namespace, component, endpoint } = target;
    this.name = { namespace, component, endpoint };
    this.#head(target);
  }

  /** Takes a whole state. */
  replace(target: Target): void {
    const { workers, changes = [], changes_since } = target;
    // A program that was started anew remembers nothing of what was before.
    const earlier = this.changes.filter(({ at }) => changes_since !== undefined && at < changes_since);
    this.changes = lastChanges([...earlier, ...changes]);
    this.#head(target);
    const there = new Set(workers.map(({ id }) => id));
    for (const id of this.rows.keys()) if (!there.has(id)) this.rows.delete(id);
    for (const worker of workers) this.#put(worker);
  }

  apply(change: TargetChange): void {
    const { changed, numbers, gone, seen_at, not_seen, changes } = change;
    this.#head(change);
    if (changes !== undefined) this.changes = lastChanges([...this.changes, ...changes]);
    for (const id of gone) this.rows.delete(id);
    if (seen_at !== undefined) {
      const seenMs = Date.parse(seen_at);
      const notSeen = new Set(not_seen);
      for (const [id, row] of this.rows) if (!notSeen.has(id)) row.seenMs = seenMs;
    }
    if (numbers !== undefined) {
      putNumbers(numbers, numbers.id.flatMap((id) => this.rows.get(id)?.worker ?? []));
    }
    for (const worker of changed) this.#put(worker);
  }

  /** What the API would tell; its records are those of the rows. */
  state(): Target {
    const workers = Array.from(
      this.rows.values(),
      ({ worker, seenMs }) =>
        seenMs === undefined ? worker : { ...worker, last_seen_at: new Date(seenMs).toISOString() },
    ).sort(byId);
    const { name, up, needsNats: needs_nats, aggregate, losses, changesSince, changes } = this;
    return {
      ...{ ...name, up, needs_nats, aggregate },
      ...(losses && { losses }),
      ...(changesSince !== undefined && { changes_since: changesSince }),
      changes,
      workers,
    };
  }

  #head({ up, needs_nats, aggregate, losses, changes_since }: TargetHead): void {
    this.up = up;
    this.needsNats = needs_nats;
    this.aggregate = aggregate;
    this.losses = losses;
    this.changesSince ??= changes_since;
  }

  #put(worker: Worker): void {
    const row = this.rows.get(worker.id);
    const seenMs = worker.last_seen_at === undefined ? undefined : Date.parse(worker.last_seen_at);
    if (row === undefined) {
      this.rows.set(worker.id, { worker, seenMs, haystack: searchText(worker) });
      return;
    }
    const isOther = SEARCHED.some((name) => row.worker[name] !== worker[name]);
    if (isOther) row.haystack = searchText(worker);
    row.worker = worker;
    row.seenMs = seenMs;
  }
}

/** What of a worker can change that the filter looks at. */
const SEARCHED = ["state", "stuck_since", "model", "release", "worker_type"] as const;

/** All that the API tells, kept up to date by the messages of its stream. The page and `metrics top` read this. */
export class FleetView {
  seq = 0;
  /** The moment that is shown, in milliseconds of the server's clock. */
  atMs = 0;
  nats: Fleet["nats"];
  etcd: Fleet["etcd"];
  connections: Fleet["connections"];
  /** What is wrong, as the program has it. */
  findings: ToldFindings = {};
  targets: TargetView[] = [];
  /** The program's. */
  version: string | undefined;

  replace(fleet: Fleet): void {
    this.#head(fleet);
    this.version = fleet.version;
    this.findings = findingsAfter({}, fleet);
    this.targets = fleet.targets.map((target) => {
      const view = this.target(target) ?? new TargetView(target);
      view.replace(target);
      return view;
    });
  }

  apply(change: Change): void {
    this.#head(change);
    this.findings = findingsAfter(this.findings, change);
    this.targets = change.targets.map((target) => {
      const view = this.target(target) ?? new TargetView(target);
      view.apply(target);
      return view;
    });
  }

  /** What the API would tell. */
  state(): Fleet {
    const { seq, atMs, version, nats, etcd, connections, findings, targets } = this;
    return {
      seq,
      at: new Date(atMs).toISOString(),
      ...(version !== undefined && { version }),
      ...(nats && { nats }),
      ...(etcd && { etcd }),
      ...(connections && { connections }),
      ...findings,
      targets: targets.map((target) => target.state()),
    };
  }

  /** Whether NATS is away and some target needs it, or the target that is told. */
  missesNats(target?: TargetView): boolean {
    const targets = target === undefined ? this.targets : [target];
    return this.nats?.connected === false && targets.some(({ needsNats }) => needsNats);
  }

  target(name: TargetName): TargetView | undefined {
    return this.targets.find((target) => pathOf(target.name) === pathOf(name));
  }

  #head({ seq, at, nats, etcd, connections }: Fleet | Change): void {
    this.seq = seq;
    this.atMs = Date.parse(at);
    this.nats = nats;
    this.etcd = etcd;
    this.connections = connections;
  }
}

export function pathOf({ namespace, component, endpoint }: TargetName): string {
  return `${namespace}/${component}/${endpoint}`;
}

/** The same as people may see it. */
export function shownPath({ namespace, component, endpoint }: TargetName): string {
  return [namespace, component, endpoint].map(shownName).join("/");
}
