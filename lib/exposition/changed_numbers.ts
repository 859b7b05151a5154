import type { WorkerId } from "../dynamo/worker_id.ts";
import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import { arrayJson } from "./array_json.ts";
import { type Column, COLUMNS, LISTS } from "./worker_fields.ts";

/** Workers of whom only numbers changed, to be told column by column; columns that stayed are left out. */
export class ChangedNumbers {
  readonly #workers: WorkerSnapshot[] = [];
  readonly #changed = new Set<Column>();

  /** Takes a worker as it was and as it is, if a number of it changed. */
  compare(before: WorkerSnapshot, after: WorkerSnapshot): void {
    let isSame = true;
    for (const column of ALL) {
      if (column.isSame(before, after)) continue;
      this.#changed.add(column);
      isSame = false;
    }
    if (!isSame) this.#workers.push(after);
  }

  /** The JSON of `numbers` in a change, with its name, in pieces; nothing when nobody's changed. */
  *json(): Generator<string> {
    if (this.#workers.length === 0) return;
    yield ',"numbers":{"id":';
    yield* arrayJson(this.#workers, ({ id }, values: WorkerId[]) => values.push(id));
    yield* this.#columns(COLUMNS);
    for (const { name, columns } of LISTS) {
      if (!columns.some((column) => this.#changed.has(column))) continue;
      yield `,"${name}":{`;
      yield* this.#columns(columns, "");
      yield "}";
    }
    yield "}";
  }

  *#columns(columns: readonly Column[], before = ","): Generator<string> {
    let separator = before;
    for (const column of columns) {
      if (!this.#changed.has(column)) continue;
      yield `${separator}"${column.name}":`;
      yield* arrayJson(this.#workers, column.append);
      separator = ",";
    }
  }
}

const ALL: readonly Column[] = [...COLUMNS, ...LISTS.flatMap(({ columns }) => columns)];
