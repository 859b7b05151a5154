import type {
  Aggregate,
  Change,
  Fleet,
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
  head: TargetHead;
  readonly rows = new Map<string, Row>();
  /** What became of workers lately, oldest first. */
  changes: readonly WorkerChange[] = [];

  constructor(head: TargetHead) {
    this.head = head;
  }

  get name(): TargetName {
    return this.head;
  }

  get aggregate(): Aggregate {
    return this.head.aggregate;
  }

  /** Takes a whole state. */
  replace({ workers, changes = [], ...head }: Target): void {
    const { changes_since } = head;
    // A program that was started anew remembers nothing of what was before.
    const earlier = this.changes.filter(({ at }) => changes_since !== undefined && at < changes_since);
    this.changes = lastChanges([...earlier, ...changes]);
    this.#takeHead(head);
    const there = new Set(workers.map(({ id }) => id));
    for (const id of this.rows.keys()) if (!there.has(id)) this.rows.delete(id);
    for (const worker of workers) this.#put(worker);
  }

  apply({ changed, numbers, gone, seen_at, not_seen, changes, ...head }: TargetChange): void {
    this.#takeHead(head);
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
    return { ...this.head, changes: this.changes, workers };
  }

  /** Changes that this reader saw are kept, so the first moment since when they are known stays. */
  #takeHead(head: TargetHead): void {
    const changes_since = this.head.changes_since ?? head.changes_since;
    this.head = { ...head, ...(changes_since !== undefined && { changes_since }) };
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

/** What the API tells beside targets. */
export type FleetHead = Omit<Fleet, "targets">;

/** All that the API tells, kept up to date by the messages of its stream. The page and `metrics top` read this. */
export class FleetView {
  head: FleetHead = { seq: 0, at: new Date(0).toISOString() };
  /** The moment that is shown, in milliseconds of the server's clock. */
  atMs = 0;
  targets: TargetView[] = [];

  replace({ targets, ...head }: Fleet): void {
    this.#takeHead(head);
    this.targets = targets.map((target) => {
      const view = this.target(target) ?? new TargetView(target);
      view.replace(target);
      return view;
    });
  }

  apply({ targets, findings, findings_more, ...head }: Change): void {
    const { version } = this.head; // It is the program's, and told with the state alone.
    const told = findings === undefined ? this.head : { findings, findings_more };
    this.#takeHead({
      ...head,
      ...(version !== undefined && { version }),
      ...(told.findings && { findings: told.findings }),
      ...(told.findings_more !== undefined && { findings_more: told.findings_more }),
    });
    this.targets = targets.map((target) => {
      const view = this.target(target) ?? new TargetView(target);
      view.apply(target);
      return view;
    });
  }

  /** What the API would tell. */
  state(): Fleet {
    return { ...this.head, targets: this.targets.map((target) => target.state()) };
  }

  target(name: TargetName): TargetView | undefined {
    return this.targets.find((target) => pathOf(target.name) === pathOf(name));
  }

  #takeHead(head: FleetHead): void {
    this.head = head;
    this.atMs = Date.parse(head.at);
  }
}

export function pathOf({ namespace, component, endpoint }: TargetName): string {
  return `${namespace}/${component}/${endpoint}`;
}

/** The same as people may see it. */
export function shownPath({ namespace, component, endpoint }: TargetName): string {
  return [namespace, component, endpoint].map(shownName).join("/");
}
