import { join } from "node:path";
import { sleep } from "../timing.ts";
import type { KeyRange, KeyStore, StoredKey } from "./key_store.ts";
import { logger } from "../log.ts";

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
 * change is not read again.
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
    let files: Map<string, string>;
    try {
      files = await this.#list();
    } catch (error) {
      return this.#set(false, (error as Error).message);
    }
    let changed = this.#set(true);
    for (const part of this.#ranges) {
      const keys = new Map<string, StoredKey>();
      for (const [key, path] of files) {
        if (!key.startsWith(part.range.prefix)) continue;
        const stored = await this.#stored(path, part.keys.get(key), part.range.withValues);
        if (stored !== undefined) keys.set(key, stored);
      }
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

  /** The file as it is now; undefined when it went meanwhile, or is no file of a key. */
  async #stored(
    path: string,
    before: StoredKey | undefined,
    withValues: boolean,
  ): Promise<StoredKey | undefined> {
    try {
      const { mtime, size, ino } = await Deno.stat(path);
      if (size > MAX_BYTES) return undefined;
      // Dynamo touches files to keep them: what is the same file of the same size is read again only when touched.
      const version = `${mtime?.getTime()} ${size} ${ino}`;
      if (before?.version === version) return before;
      return { value: withValues ? await Deno.readTextFile(path) : "", lease: undefined, version };
    } catch {
      return undefined;
    }
  }
}

/** What is in a folder; nothing when it went meanwhile. */
async function contents(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch {
    return [];
  }
}
