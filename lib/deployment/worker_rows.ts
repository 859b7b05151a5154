import type { WorkerId } from "../dynamo/worker_id.ts";
import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";

/** A worker's series; NaN where it was not known. */
export const WORKER_SERIES = ["blocksUsed", "slotsActive", "requestsWaiting", "cacheUsage"] as const;
export type WorkerSeries = Readonly<Record<typeof WORKER_SERIES[number], readonly number[]>>;

/** In sixteen bits: what was not known, and the most that can be told of a count. */
const GAP = 0xffff;
const MOST = 0xfffe;
/** What a ratio is counted in. */
const RATIO_STEPS = 10_000;

/** How many rows are made at once. */
const SLAB_ROWS = 256;

/**
 * The past of many workers, 10 bytes a step and worker. A row whose worker is gone is the next newcomer's, so there are
 * never more rows than workers were there at once, but for those of one slab.
 */
export class WorkerRows {
  readonly #rows = new Map<WorkerId, number>();
  readonly #slabs: Slab[] = [];
  #free: number[] = [];

  /** @param steps how many each row has */
  constructor(private readonly steps: number) {}

  /** What the arrays take. */
  get byteLength(): number {
    return this.#slabs.reduce((sum, slab) => sum + slab.byteLength, 0);
  }

  /** Writes what the workers show at a position; the others are forgotten. At positions left out there is nothing. */
  write(
    workers: readonly WorkerSnapshot[],
    { at, leftOut }: { readonly at: number; readonly leftOut: readonly number[] },
  ): void {
    for (const position of leftOut) for (const slab of this.#slabs) slab.clearStep(position);
    this.#dropOthers(workers);
    for (const worker of workers) {
      const row = this.#rows.get(worker.id) ?? this.#add(worker.id);
      this.#slabOf(row).write(row % SLAB_ROWS, at, worker.numbers);
    }
  }

  /** The worker's values at these positions. */
  read(id: WorkerId, positions: readonly number[]): WorkerSeries {
    const row = this.#rows.get(id);
    if (row !== undefined) return this.#slabOf(row).read(row % SLAB_ROWS, positions);
    const nothing = positions.map(() => NaN);
    return { blocksUsed: nothing, slotsActive: nothing, requestsWaiting: nothing, cacheUsage: nothing };
  }

  #slabOf(row: number): Slab {
    return this.#slabs[Math.floor(row / SLAB_ROWS)]!;
  }

  #add(id: WorkerId): number {
    if (this.#free.length === 0) {
      const first = this.#slabs.length * SLAB_ROWS;
      this.#slabs.push(new Slab(this.steps));
      this.#free = Array.from({ length: SLAB_ROWS }, (_, n) => first + SLAB_ROWS - 1 - n);
    }
    const row = this.#free.pop()!;
    this.#rows.set(id, row);
    this.#slabOf(row).clearRow(row % SLAB_ROWS);
    return row;
  }

  /** Mostly there are none, which is quickly seen. */
  #dropOthers(workers: readonly WorkerSnapshot[]): void {
    let known = 0;
    for (const { id } of workers) if (this.#rows.has(id)) known++;
    if (known === this.#rows.size) return;
    const gone = new Set(this.#rows.keys());
    for (const { id } of workers) gone.delete(id);
    for (const id of gone) this.#drop(id);
  }

  #drop(id: WorkerId): void {
    this.#free.push(this.#rows.get(id)!);
    this.#rows.delete(id);
  }
}

/** Some rows, one after the other in an array a series. */
class Slab {
  readonly #blocks: Float32Array<ArrayBuffer>;
  readonly #slots: Uint16Array<ArrayBuffer>;
  readonly #waiting: Uint16Array<ArrayBuffer>;
  readonly #usage: Uint16Array<ArrayBuffer>;

  constructor(private readonly steps: number) {
    const length = SLAB_ROWS * steps;
    this.#blocks = new Float32Array(length);
    this.#slots = new Uint16Array(length);
    this.#waiting = new Uint16Array(length);
    this.#usage = new Uint16Array(length);
  }

  get byteLength(): number {
    return this.#blocks.byteLength + this.#slots.byteLength + this.#waiting.byteLength +
      this.#usage.byteLength;
  }

  write(row: number, at: number, numbers: WorkerSnapshot["numbers"]): void {
    const index = row * this.steps + at;
    this.#blocks[index] = numbers.activeBlocks ?? NaN;
    this.#slots[index] = inSixteenBits(numbers.activeSlots);
    this.#waiting[index] = inSixteenBits(numbers.requestsWaiting);
    this.#usage[index] = inSixteenBits(numbers.cacheUsageRatio, RATIO_STEPS);
  }

  read(row: number, positions: readonly number[]): WorkerSeries {
    const begin = row * this.steps;
    const values = (array: Uint16Array, unit = 1) =>
      positions.map((at) => array[begin + at] === GAP ? NaN : array[begin + at]! / unit);
    return {
      blocksUsed: positions.map((at) => this.#blocks[begin + at]!),
      slotsActive: values(this.#slots),
      requestsWaiting: values(this.#waiting),
      cacheUsage: values(this.#usage, RATIO_STEPS),
    };
  }

  clearRow(row: number): void {
    const [begin, end] = [row * this.steps, (row + 1) * this.steps];
    this.#blocks.fill(NaN, begin, end);
    for (const array of [this.#slots, this.#waiting, this.#usage]) array.fill(GAP, begin, end);
  }

  clearStep(at: number): void {
    for (let row = 0; row < SLAB_ROWS; row++) this.write(row, at, {});
  }
}

function inSixteenBits(value: number | undefined, unit = 1): number {
  return value === undefined || Number.isNaN(value) ? GAP : Math.min(Math.round(value * unit), MOST);
}
