import { join } from "node:path";
import { sleep } from "../timing.ts";
import type { KeyRange, KeyStore, StoredKey } from "./key_store.ts";
import { logger } from "../log.ts";
import { FileTooLargeError, fileVersion, readRegularFile } from "./regular_file.ts";

export interface FileStoreOptions {
  /** The folder that `DYN_FILE_KV` names. */
  readonly folder: string;
  /** The key that a file's path below the folder stands for; undefined for one that is none. */
  readonly keyOf: (path: string) => string | undefined;
  readonly signal: AbortSignal;
  /** How often the folder is read anew. */
  readonly rereadMs?: number;
}

/** A file with more is no key of Dynamo's. */
const MAX_BYTES = 1024 * 1024;

/**
 * Keys below some prefixes, kept equal to the files of a folder by reading it again and again. A file that did not
 * change is not read again. While a part of the folder cannot be read, the last known keys stand.
 */
export class FileStore implements KeyStore, AsyncDisposable {
  readonly kind = "file";
  readonly #options: FileStoreOptions;
  readonly #ranges: readonly { readonly range: KeyRange; keys: Map<string, StoredKey> }[];
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #log = logger("transport");
  #connected: boolean | undefined;

  constructor(ranges: readonly KeyRange[], options: FileStoreOptions) {
    this.#options = options;
    this.#ranges = ranges.map((range) => ({ range, keys: new Map() }));
    this.#running = this.#run(AbortSignal.any([options.signal, this.#stop.signal]));
  }

  get connected(): boolean {
    return this.#connected ?? false;
  }

  get tried(): boolean {
    return this.#connected !== undefined;
  }

  entries(prefix: string): ReadonlyMap<string, StoredKey> {
    return this.#ranges.find(({ range }) => range.prefix === prefix)?.keys ?? new Map();
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
      await sleep(this.#options.rereadMs ?? 1_000, { signal });
    }
  }

  /** Reads the folder; true when a key, or whether it can be read, is another than before. */
  async #read(): Promise<boolean> {
    let read: Map<string, StoredKey>[];
    try {
      const files = await this.#list();
      read = [];
      for (const part of this.#ranges) read.push(await readKeys(files, part));
    } catch (error) {
      return this.#set(false, (error as Error).message);
    }
    let changed = this.#set(true);
    for (const [at, part] of this.#ranges.entries()) {
      const keys = read[at]!;
      changed ||= keys.size !== part.keys.size ||
        keys.entries().some(([key, { version }]) => part.keys.get(key)?.version !== version);
      part.keys = keys;
    }
    return changed;
  }

  #set(connected: boolean, cause?: string): boolean {
    if (connected === this.#connected) return false;
    const { folder } = this.#options;
    if (!connected) this.#log.warn("Cannot read the file store, trying again", { folder, cause });
    else this.#log.info("Reading the file store", { folder });
    this.#connected = connected;
    return true;
  }

  /** Keys and the paths of their files, two folders down. */
  async #list(): Promise<Map<string, string>> {
    const { folder, keyOf } = this.#options;
    const files = new Map<string, string>();
    for await (const version of Deno.readDir(folder)) {
      if (!version.isDirectory) continue;
      for (const bucket of await contents(join(folder, version.name))) {
        if (!bucket.isDirectory) continue;
        for (const { name, isFile } of await contents(join(folder, version.name, bucket.name))) {
          const path = `${version.name}/${bucket.name}/${name}`;
          const key = isFile ? keyOf(path) : undefined;
          if (key !== undefined) files.set(key, join(folder, path));
        }
      }
    }
    return files;
  }
}

interface ReadRange {
  readonly range: KeyRange;
  readonly keys: ReadonlyMap<string, StoredKey>;
}

/** The keys of a range as they are now. @throws {Error} when one of their files is there and cannot be read */
async function readKeys(
  files: ReadonlyMap<string, string>,
  { range, keys: before }: ReadRange,
): Promise<Map<string, StoredKey>> {
  const keys = new Map<string, StoredKey>();
  for (const [key, path] of files) {
    if (!key.startsWith(range.prefix)) continue;
    const stored = await unlessGone(readKey(path, before.get(key), range.withValues));
    if (stored !== undefined) keys.set(key, stored);
  }
  return keys;
}

/** Undefined when the file is too large for a key. */
async function readKey(
  path: string,
  before: StoredKey | undefined,
  withValues: boolean,
): Promise<StoredKey | undefined> {
  const limit = { maxBytes: MAX_BYTES };
  try {
    // Dynamo touches files to keep them: what is the same file of the same size is read again only when touched.
    const version = await fileVersion(path, limit);
    if (before?.version === version) return before;
    return { value: withValues ? await readRegularFile(path, limit) : "", lease: undefined, version };
  } catch (error) {
    if (error instanceof FileTooLargeError) return undefined;
    throw error;
  }
}

/** What is in a folder; nothing when it went meanwhile. */
async function contents(folder: string): Promise<Deno.DirEntry[]> {
  return await unlessGone(Array.fromAsync(Deno.readDir(folder))) ?? [];
}

/** What went between being listed and being read is no problem; whatever else fails is one. */
async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
