import { changeJson } from "../exposition/change_json.ts";
import { timeText } from "../exposition/time_text.ts";
import type { Snapshot } from "../fleet/snapshot.ts";
import { logger } from "../log.ts";
import { Alarm, type Clock, sleep } from "../timing.ts";
import { encode } from "./encode.ts";
import type { FleetBytes } from "./fleet_route.ts";

/** Has the newest Snapshot, and tells each new one. */
export interface SnapshotSource {
  readonly snapshot: Snapshot;
  subscribe(listener: (snapshot: Snapshot) => void): Disposable;
}

export interface BroadcastOptions {
  readonly snapshots: SnapshotSource;
  readonly fleets: Pick<FleetBytes, "of">;
  readonly clock: Clock;
  readonly periodMs: number;
  readonly keepAliveMs: number;
  readonly stuckMs: number;
  /** The last reader has gone; nobody may come any more. */
  readonly onEmpty: () => void;
}

type Bytes = Uint8Array<ArrayBuffer>;

interface Reader {
  readonly controller: ReadableStreamDefaultController<Bytes>;
  /** It has taken all it was given, and asks for more. Only then it is given anything: nothing is queued. */
  isReady: boolean;
  /** When it was given something last, on the monotonic clock; at first, when it came. */
  givenMs: number;
  /** What it was told last; undefined of one that was told nothing, or missed something, and needs the whole state. */
  told: Snapshot | undefined;
}

/** Tells many readers the same, encoded once: the state to those who do not have it, to all others what changed since. */
export class Broadcast implements Disposable {
  readonly #options: BroadcastOptions;
  readonly #readers = new Set<Reader>();
  readonly #ended = new AbortController();
  readonly #news = new Alarm();
  /** What those are told who are told everything. */
  #told: Snapshot;
  /** Its event but for its end, once somebody needed it. */
  #state: Promise<Bytes> | undefined;

  constructor(options: BroadcastOptions) {
    this.#options = options;
    this.#told = options.snapshots.snapshot;
    this.#run().catch((error) => {
      logger("server").error("Cannot stream", { cause: (error as Error).message });
      this[Symbol.dispose]();
    });
  }

  /** How many read. */
  get size(): number {
    return this.#readers.size;
  }

  /** A new reader's stream. */
  open(): ReadableStream<Bytes> {
    let reader: Reader;
    return new ReadableStream<Bytes>({
      start: (controller) => {
        reader = { controller, isReady: false, givenMs: this.#nowMs(), told: undefined };
        this.#readers.add(reader);
      },
      pull: async () => {
        reader.isReady = true;
        if (reader.told === undefined) await this.#tellState();
      },
      cancel: () => this.#remove(reader),
    }, { highWaterMark: 0 });
  }

  [Symbol.dispose](): void {
    for (const reader of this.#readers) this.#end(reader);
  }

  #end(reader: Reader): void {
    this.#remove(reader);
    const hasFailed = reader.controller.desiredSize === null;
    if (!hasFailed) reader.controller.close();
  }

  #remove(reader: Reader): void {
    if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
    this.#ended.abort();
    this.#options.onEmpty();
  }

  async #run(): Promise<void> {
    const { snapshots, periodMs, keepAliveMs } = this.#options;
    const { signal } = this.#ended;
    using _ = snapshots.subscribe(() => this.#news.ring());
    while (!signal.aborted) {
      if (await this.#news.sleep(keepAliveMs, { signal })) await this.#tellChange();
      else this.#tellAlive();
      await this.#tellState();
      this.#endStuck();
      await sleep(periodMs, { signal });
    }
  }

  async #tellChange(): Promise<void> {
    const [before, after] = [this.#told, this.#options.snapshots.snapshot];
    if (before === after) return;
    const event = unfinished("change", await encode(changeJson(before, after)));
    this.#told = after;
    this.#state = undefined;
    for (const reader of this.#readers) {
      if (reader.isReady && reader.told === before) this.#give(reader, event);
      else reader.told = undefined;
    }
  }

  /** The whole to those who need it and are ready. That it cannot be made ends their streams, and no others. */
  async #tellState(): Promise<void> {
    if (!this.#readers.values().some(needsState)) return;
    const told = this.#told;
    const event = await (this.#state ??= this.#stateEvent()).catch((error) => error as Error);
    if (told !== this.#told) return; // The change that was told meanwhile is followed by its own state.
    for (const reader of [...this.#readers].filter(needsState)) {
      if (!(event instanceof Error)) this.#give(reader, event);
      else {
        this.#remove(reader);
        reader.controller.error(event);
      }
    }
  }

  async #stateEvent(): Promise<Bytes> {
    try {
      return unfinished("state", await this.#options.fleets.of(this.#told));
    } catch (error) {
      this.#state = undefined; // The next reader may have more luck.
      logger("server").error("Cannot stream the state", { cause: (error as Error).message });
      throw error;
    }
  }

  /** Who takes nothing for that long is not there any more, and holds a place. */
  #endStuck(): void {
    const sinceMs = this.#nowMs() - this.#options.stuckMs;
    for (const reader of this.#readers) {
      if (!reader.isReady && reader.givenMs < sinceMs) this.#end(reader);
    }
  }

  #tellAlive(): void {
    for (const reader of this.#readers) {
      if (!reader.isReady || reader.told === undefined) continue;
      this.#busy(reader);
      reader.controller.enqueue(encoder.encode(`event: alive\ndata: {${this.#now()}}\n\n`));
    }
  }

  #give(reader: Reader, event: Bytes): void {
    this.#busy(reader);
    reader.told = this.#told;
    reader.controller.enqueue(event);
    const hasLeft = !this.#readers.has(reader); // Of a connection that is gone the server hears when it sends.
    if (!hasLeft) reader.controller.enqueue(encoder.encode(`,${this.#now()}}\n\n`));
  }

  #busy(reader: Reader): void {
    reader.isReady = false;
    reader.givenMs = this.#nowMs();
  }

  #nowMs(): number {
    return this.#options.clock().monotonicMs;
  }

  #now(): string {
    return `"now":"${timeText(this.#options.clock())}"`;
  }
}

function needsState({ isReady, told }: Reader): boolean {
  return isReady && told === undefined;
}

const encoder = new TextEncoder();

/** An event up to the last brace of its JSON, to be ended with `now`. JSON has no line feeds: it is one line of data. */
function unfinished(name: string, json: Bytes): Bytes {
  const begin = encoder.encode(`event: ${name}\ndata: `);
  const event = new Uint8Array(begin.length + json.length - 1);
  event.set(begin);
  event.set(json.subarray(0, -1), begin.length);
  return event;
}
