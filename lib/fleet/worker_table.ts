import { compareWorkerIds, type WorkerId } from "../dynamo/worker_id.ts";
import type { Worker } from "./worker.ts";

/**
 * The workers of a target, ordered by id. A value: changes are made in a `WorkerTableDraft`. A round changes every worker,
 * and seldom who is there, so where each stands is kept from table to table.
 */
export class WorkerTable {
  readonly #positions: ReadonlyMap<WorkerId, number>;
  readonly #workers: readonly Worker[];

  private constructor(positions: ReadonlyMap<WorkerId, number>, workers: readonly Worker[]) {
    this.#positions = positions;
    this.#workers = workers;
  }

  static readonly EMPTY = new WorkerTable(new Map(), []);

  /** Of workers in the order of their ids. */
  static of(workers: readonly Worker[]): WorkerTable {
    return new WorkerTable(new Map(workers.map(({ id }, position) => [id, position])), workers);
  }

  get size(): number {
    return this.#workers.length;
  }

  has(id: WorkerId): boolean {
    return this.#positions.has(id);
  }

  get(id: WorkerId): Worker | undefined {
    const position = this.position(id);
    return position === undefined ? undefined : this.#workers[position];
  }

  /** Where it stands among the workers. */
  position(id: WorkerId): number | undefined {
    return this.#positions.get(id);
  }

  values(): readonly Worker[] {
    return this.#workers;
  }

  /** The same workers, said anew. */
  withWorkers(workers: readonly Worker[]): WorkerTable {
    return new WorkerTable(this.#positions, workers);
  }
}

/** A table in the making; the one before stays as it is. */
export class WorkerTableDraft {
  readonly #before: WorkerTable;
  /** Those of the table before, undefined where one went; a copy once one was changed. */
  #kept: (Worker | undefined)[] | undefined;
  #went = 0;
  readonly #came = new Map<WorkerId, Worker>();

  constructor(before: WorkerTable) {
    this.#before = before;
  }

  get size(): number {
    return this.#before.size - this.#went + this.#came.size;
  }

  has(id: WorkerId): boolean {
    return this.get(id) !== undefined;
  }

  get(id: WorkerId): Worker | undefined {
    const position = this.#before.position(id);
    const kept = position === undefined ? undefined : (this.#kept ?? this.#before.values())[position];
    return kept ?? this.#came.get(id);
  }

  /** Those that are there now, the newcomers last; what is changed meanwhile may be among them or not. */
  values(): readonly Worker[] {
    const kept = this.#kept ?? this.#before.values();
    if (this.#went === 0 && this.#came.size === 0) return kept as readonly Worker[];
    return [...kept.filter((worker) => worker !== undefined), ...this.#came.values()];
  }

  put(worker: Worker): void {
    const position = this.#before.position(worker.id);
    const isKept = position !== undefined && (this.#kept ?? this.#before.values())[position] !== undefined;
    if (isKept) this.#write()[position] = worker;
    else this.#came.set(worker.id, worker);
  }

  delete(id: WorkerId): void {
    if (this.#came.delete(id)) return;
    const position = this.#before.position(id);
    if (position === undefined || this.get(id) === undefined) return;
    this.#write()[position] = undefined;
    this.#went++;
  }

  finish(): WorkerTable {
    if (this.#went === 0 && this.#came.size === 0) {
      return this.#kept === undefined ? this.#before : this.#before.withWorkers(this.#kept as Worker[]);
    }
    return WorkerTable.of([...this.values()].sort((a, b) => compareWorkerIds(a.id, b.id)));
  }

  #write(): (Worker | undefined)[] {
    return this.#kept ??= [...this.#before.values()];
  }
}
