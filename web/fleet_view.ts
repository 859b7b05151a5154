import type {
  Aggregate,
  Change,
  Fleet,
  State,
  Target,
  TargetChange,
  TargetHead,
  TargetName,
  Worker,
} from "../lib/exposition/api_v1.ts";
import { shownName } from "../lib/exposition/printable.ts";
import { putNumbers } from "../lib/exposition/put_numbers.ts";

/** A worker as the page has it. The row stays; the record in it is replaced, or has its numbers written to. */
export interface Row {
  worker: Worker;
  /** Its last sign of life, in milliseconds of the server's clock; undefined when it never gave one. */
  seenMs: number | undefined;
  /** What the text filter looks at, in lower case. */
  haystack: string;
}

/** A worker's step from one state to another. `undefined` is: not there. */
export interface Step {
  readonly atMs: number;
  readonly id: string;
  readonly from: State | undefined;
  readonly to: State | undefined;
}

/** How many steps are remembered. */
const MAX_STEPS = 200;

/** One target as the page has it, kept up to date by the messages of the stream. */
export class TargetView {
  readonly name: TargetName;
  readonly rows = new Map<string, Row>();
  readonly steps: Step[] = [];
  up!: boolean;
  needsNats!: boolean;
  aggregate!: Aggregate;

  constructor(target: TargetHead) {
    const { namespace, component, endpoint } = target;
    this.name = { namespace, component, endpoint };
    this.#head(target);
  }

  /** Takes a whole state; what differs from before is a step, but for the first one. */
  replace(target: Target, options: { atMs: number; isFirst: boolean }): void {
    const { workers } = target;
    const { atMs, isFirst } = options;
    this.#head(target);
    const there = new Set(workers.map(({ id }) => id));
    for (const id of this.rows.keys()) if (!there.has(id)) this.#remove(id, atMs);
    for (const worker of workers) this.#put(worker, isFirst ? undefined : atMs);
  }

  apply(change: TargetChange, atMs: number): void {
    const { changed, numbers, gone, seen_at, not_seen } = change;
    this.#head(change);
    for (const id of gone) this.#remove(id, atMs);
    if (seen_at !== undefined) {
      const seenMs = Date.parse(seen_at);
      const notSeen = new Set(not_seen);
      for (const [id, row] of this.rows) if (!notSeen.has(id)) row.seenMs = seenMs;
    }
    if (numbers !== undefined) {
      putNumbers(numbers, numbers.id.flatMap((id) => this.rows.get(id)?.worker ?? []));
    }
    for (const worker of changed) this.#put(worker, atMs);
  }

  /** What `replace` would take. */
  state(): Target {
    const workers = [...this.rows.values()].map(({ worker, seenMs }) =>
      seenMs === undefined ? worker : { ...worker, last_seen_at: new Date(seenMs).toISOString() }
    );
    return { ...this.name, up: this.up, needs_nats: this.needsNats, aggregate: this.aggregate, workers };
  }

  #head({ up, needs_nats, aggregate }: TargetHead): void {
    this.up = up;
    this.needsNats = needs_nats;
    this.aggregate = aggregate;
  }

  #put(worker: Worker, atMs: number | undefined): void {
    const row = this.rows.get(worker.id);
    if (atMs !== undefined && row?.worker.state !== worker.state) {
      this.#step({ atMs, id: worker.id, from: row?.worker.state, to: worker.state });
    }
    const seenMs = worker.last_seen_at === undefined ? undefined : Date.parse(worker.last_seen_at);
    if (row === undefined) {
      this.rows.set(worker.id, { worker, seenMs, haystack: haystackOf(worker) });
      return;
    }
    const named = (["model", "release", "worker_type"] as const).some((name) =>
      row.worker[name] !== worker[name]
    );
    if (named) row.haystack = haystackOf(worker);
    row.worker = worker;
    row.seenMs = seenMs;
  }

  #remove(id: string, atMs: number): void {
    const row = this.rows.get(id);
    if (row === undefined) return;
    this.rows.delete(id);
    this.#step({ atMs, id, from: row.worker.state, to: undefined });
  }

  #step(step: Step): void {
    this.steps.push(step);
    if (this.steps.length > 2 * MAX_STEPS) this.steps.splice(0, MAX_STEPS);
  }
}

/** The whole as the page has it. */
export class FleetView {
  seq = 0;
  /** The moment that is shown, in milliseconds of the server's clock. */
  atMs = 0;
  nats: Fleet["nats"];
  etcd: Fleet["etcd"];
  targets: TargetView[] = [];

  replace(fleet: Fleet): void {
    this.#head(fleet);
    this.targets = fleet.targets.map((target) => {
      const known = this.target(target);
      const view = known ?? new TargetView(target);
      view.replace(target, { atMs: this.atMs, isFirst: known === undefined });
      return view;
    });
  }

  apply(change: Change): void {
    this.#head(change);
    for (const target of change.targets) this.target(target)?.apply(target, this.atMs);
  }

  /** What `replace` would take. */
  state(): Fleet {
    const { seq, atMs, nats, etcd, targets } = this;
    return {
      seq,
      at: new Date(atMs).toISOString(),
      ...(nats && { nats }),
      ...(etcd && { etcd }),
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

  #head({ seq, at, nats, etcd }: Fleet | Change): void {
    this.seq = seq;
    this.atMs = Date.parse(at);
    this.nats = nats;
    this.etcd = etcd;
  }
}

export function pathOf({ namespace, component, endpoint }: TargetName): string {
  return `${namespace}/${component}/${endpoint}`;
}

/** The same as people may see it. */
export function shownPath({ namespace, component, endpoint }: TargetName): string {
  return [namespace, component, endpoint].map(shownName).join("/");
}

/** The id as Dynamo writes it in subjects and keys. */
export function hexOf(id: string): string {
  return /^\d+$/.test(id) ? BigInt(id).toString(16) : "";
}

function haystackOf({ id, model, release, worker_type }: Worker): string {
  return [id, hexOf(id), model, release, worker_type].join(" ").toLowerCase();
}
