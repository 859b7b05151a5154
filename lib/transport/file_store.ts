import { join } from "node:path";
import { logger } from "../log.ts";
import { type Clock, sleep, systemClock } from "../timing.ts";
import { type ConnectionState, Connectivity } from "./connectivity.ts";
import { FileAges } from "./file_ages.ts";
import type { KeyRange, KeyStore, StoredKey } from "./key_store.ts";
import { FolderListing } from "./folder_listing.ts";
import { type FileState, fileState, FileTooLargeError, readRegularFile } from "./regular_file.ts";

export interface FileStoreOptions {
  /** The folder that `DYN_FILE_KV` names, or Dynamo's default. */
  readonly folder: string;
  /** Whether there need be no such folder yet: then there are no keys, and that is no failure. */
  readonly mayBeMissing?: boolean;
  /** How long after its last touch a file is still a key. */
  readonly expiresAfterMs: number;
  /** The key that a file's path below the folder stands for; undefined for one that is none. */
  readonly keyOf: (path: string) => string | undefined;
  readonly signal: AbortSignal;
  /** How often the folder is read anew. */
  readonly rereadMs?: number;
  readonly clock?: Clock;
}

/** A file with more is no key of Dynamo's. */
const MAX_BYTES = 1024 * 1024;
const REREAD_MS = 1_000;

/**
 * Keys below some prefixes, kept equal to the files of a folder by reading it again and again. A file that did not
 * change is not read again, and one that is no longer touched is no key. While a part of the folder cannot be read, or
 * it is moved while it is read, the last known keys stand, and no file grows older.
 */
export class FileStore implements KeyStore, AsyncDisposable {
  readonly kind = "file";
  readonly name = "file store";
  readonly away = "the file store cannot be read";
  readonly #options: FileStoreOptions;
  readonly #rereadMs: number;
  readonly #ranges: readonly { readonly range: KeyRange; keys: ReadonlyMap<string, StoredKey> }[];
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #log = logger("transport");
  #ages: FileAges;
  readonly #connectivity: Connectivity;
  #state: "read" | "missing" | "away" | undefined;
  #wasThere = false;

  constructor(ranges: readonly KeyRange[], options: FileStoreOptions) {
    this.#options = options;
    this.#connectivity = new Connectivity(options.clock);
    const { expiresAfterMs, rereadMs = REREAD_MS } = options;
    this.#rereadMs = rereadMs;
    this.#ages = new FileAges({ expiresAfterMs, maxStepMs: 2 * rereadMs });
    this.#ranges = ranges.map((range) => ({ range, keys: new Map() }));
    this.#running = this.#run(AbortSignal.any([options.signal, this.#stop.signal]));
  }

  get connected(): boolean {
    return this.#state === "read" || this.#state === "missing";
  }

  get state(): ConnectionState {
    return this.#connectivity.state;
  }

  get tried(): boolean {
    return this.#state !== undefined;
  }

  entries(prefix: string): ReadonlyMap<string, StoredKey> {
    return this.#ranges.find(({ range }) => range.prefix === prefix)?.keys ?? new Map();
  }

  /** A file that was not touched for long is none. */
  async firstKey(from: string, before: string): Promise<string | undefined> {
    const { folder, keyOf, expiresAfterMs } = this.#options;
    let first: string | undefined;
    for (const file of (await FolderListing.of(folder)).files) {
      const key = keyOf(file);
      if (key === undefined || key < from || key >= before || first !== undefined && key >= first) continue;
      const state = await unlessNone(fileState(join(folder, file), { maxBytes: MAX_BYTES }));
      if (state !== undefined && Date.now() - state.touchedMs < expiresAfterMs) first = key;
    }
    return first;
  }

  listen(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const changed = await this.#read();
      if (signal.aborted) return;
      if (changed) { for (const listener of this.#listeners) listener(); }
      await sleep(this.#rereadMs, { signal });
    }
  }

  /** Reads the folder; true when a key, or whether it can be read, is another than before. */
  async #read(): Promise<boolean> {
    const { folder, mayBeMissing = false, clock = systemClock } = this.#options;
    const readAt = clock();
    let ages: FileAges;
    const keys: ReadonlyMap<string, StoredKey>[] = [];
    try {
      if (mayBeMissing && !this.#wasThere && await isMissing(folder)) return this.#set("missing");
      const listing = await FolderListing.of(folder);
      const files = await this.#files(listing);
      ages = this.#ages.after(
        new Map(files.values().map(({ path, touchedMs }) => [path, touchedMs])),
        readAt,
      );
      const live = [...files].filter(([, { path }]) => ages.has(path));
      for (const part of this.#ranges) keys.push(await readKeys(live, part));
      await listing.check();
    } catch (error) {
      return this.#set("away", (error as Error).message);
    }
    this.#wasThere = true;
    this.#ages = ages;
    let changed = this.#set("read");
    for (const [n, part] of this.#ranges.entries()) {
      const before = part.keys;
      part.keys = keys[n]!;
      changed ||= before.size !== part.keys.size ||
        part.keys.entries().some(([key, { version }]) => before.get(key)?.version !== version);
    }
    return changed;
  }

  #set(state: "read" | "missing" | "away", cause?: string): boolean {
    if (state === "away") this.#connectivity.down(cause);
    else this.#connectivity.up();
    if (state === this.#state) return false;
    const { folder } = this.#options;
    if (state === "away") this.#log.warn("Cannot read the file store, trying again", { folder, cause });
    else if (state === "read") this.#log.info("Reading the file store", { folder });
    else this.#log.info("Waiting for the file store's folder, nobody is registered yet", { folder });
    this.#state = state;
    return true;
  }

  /** The files of the ranges' keys, by key. */
  async #files({ files }: FolderListing): Promise<Map<string, KeyFile>> {
    const { folder, keyOf } = this.#options;
    const found = new Map<string, KeyFile>();
    for (const file of files) {
      const key = keyOf(file);
      if (key === undefined || !this.#ranges.some(({ range }) => key.startsWith(range.prefix))) continue;
      const path = join(folder, file);
      const state = await unlessNone(fileState(path, { maxBytes: MAX_BYTES }));
      if (state !== undefined) found.set(key, { path, ...state });
    }
    return found;
  }
}

interface KeyFile extends FileState {
  readonly path: string;
}

interface ReadRange {
  readonly range: KeyRange;
  readonly keys: ReadonlyMap<string, StoredKey>;
}

/** The keys of a range as they are now. @throws {Error} when one of their files is there and cannot be read */
async function readKeys(
  files: readonly (readonly [key: string, KeyFile])[],
  { range, keys: before }: ReadRange,
): Promise<Map<string, StoredKey>> {
  const keys = new Map<string, StoredKey>();
  for (const [key, { path, version }] of files) {
    if (!key.startsWith(range.prefix)) continue;
    const known = before.get(key);
    const value = known?.version === version
      ? known.value
      : range.withValues
      ? await unlessNone(readRegularFile(path, { maxBytes: MAX_BYTES }))
      : "";
    if (value !== undefined) keys.set(key, { value, lease: undefined, version });
  }
  return keys;
}

async function isMissing(folder: string): Promise<boolean> {
  return await unlessNone(Deno.stat(folder)) === undefined;
}

/** Undefined for what went meanwhile and for a file too large for a key; whatever else fails is a problem. */
async function unlessNone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof FileTooLargeError) return undefined;
    throw error;
  }
}
