import type { Etcd3, Watcher } from "etcd3";
import { sleep, within } from "../timing.ts";
import type { EtcdClient, EtcdOptions } from "./etcd_client.ts";
import { EtcdSessions, type Session } from "./etcd_sessions.ts";

export interface EtcdMirrorOptions extends EtcdOptions {
  /** How often the keys are listed anew beside the watch. */
  readonly relistMs?: number;
}

/**
 * The keys below some prefixes, kept equal to what etcd has by a watch, and by listing them anew every few seconds: a
 * watch of npm:etcd3 was seen to say `connected` and deliver nothing (after a restart, wiped data, a compaction). So
 * every call has a limit, and at the first failure, or when a list shows what the watch did not say, all begins anew.
 */
export class EtcdMirror implements AsyncDisposable {
  readonly #options: EtcdMirrorOptions;
  readonly #ranges: readonly Range[];
  readonly #listeners = new Set<() => void>();
  readonly #sessions: EtcdSessions;

  constructor(prefixes: readonly string[], options: EtcdMirrorOptions) {
    this.#options = options;
    this.#ranges = prefixes.map((prefix) => ({ prefix, keys: new Set(), revision: 0, seen: 0, owed: false }));
    this.#sessions = new EtcdSessions(options, {
      run: (client, session) => this.#mirror(client, session),
      onLost: () => this.#onChange(),
    });
  }

  /** True while list and watch work; while false the keys are those last known. */
  get connected(): boolean {
    return this.#sessions.connected;
  }

  /** The live set of keys below one of the prefixes. */
  keys(prefix: string): ReadonlySet<string> {
    return this.#ranges.find((range) => range.prefix === prefix)?.keys ?? new Set();
  }

  /** Calls `listener` after every change of keys or connection until the result is disposed of; it should only take note. */
  listen(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  #onChange(): void {
    for (const listener of this.#listeners) listener();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }

  /** Lists and watches, then lists again and again; returns when the watch does not speak. */
  async #mirror(client: EtcdClient, { signal, fault, succeeded }: Session): Promise<void> {
    for (const range of this.#ranges) {
      range.revision = 0;
      await this.#list(client.etcd, range);
      range.owed = false;
      this.#watch(client, range, fault);
    }
    succeeded();
    this.#onChange();
    while (true) {
      await sleep(this.#options.relistMs ?? 2_500, { signal });
      if (signal.aborted) return;
      for (const range of this.#ranges) {
        if (range.owed) return;
        if (!await this.#list(client.etcd, range)) continue;
        range.owed = true;
        this.#onChange();
      }
    }
  }

  /** Makes the range what etcd says; true when that was a change. */
  async #list(client: Etcd3, range: Range): Promise<boolean> {
    const response = await within(
      client.kv.range({
        key: encoder.encode(range.prefix) as never,
        range_end: rangeEnd(range.prefix) as never,
        keys_only: true,
      }),
      { ms: this.#options.callMs ?? 2_000, what: "listing the keys" },
    );
    const revision = Number(response.header.revision);
    if (revision < range.revision) throw new Error("the data went back in time");
    if (revision < range.seen && range.revision > 0) return false; // The watch is ahead of this list.
    const keys = new Set(response.kvs.map((kv) => kv.key.toString()));
    const changed = keys.size !== range.keys.size || [...keys].some((key) => !range.keys.has(key));
    range.keys = keys;
    range.revision = revision;
    range.seen = revision;
    return changed;
  }

  #watch(client: EtcdClient, range: Range, fault: (cause: string) => void): void {
    const watcher: Watcher = client.etcd.watch().prefix(range.prefix).startRevision(
      String(range.revision + 1),
    )
      .watcher();
    watcher.on("data", (response) => {
      for (const { type, kv } of response.events) {
        const revision = Number(kv.mod_revision);
        if (revision <= range.revision) continue;
        range.seen = Math.max(range.seen, revision);
        if (type === "Put") range.keys.add(kv.key.toString());
        else range.keys.delete(kv.key.toString());
      }
      range.owed = false;
      this.#onChange();
    });
    watcher.on("disconnected", (error) => fault(client.cause(error)));
    watcher.on("error", (error) => fault(client.cause(error)));
  }
}

/**
 * The keys below one prefix. `revision` is that of the last list, `seen` the newest that list or watch told of; `owed`
 * while a list has shown a change of which the watch has not told yet.
 */
interface Range {
  readonly prefix: string;
  keys: Set<string>;
  revision: number;
  seen: number;
  owed: boolean;
}

const encoder = new TextEncoder();

/** The first key after all that begin with `prefix`: its bytes with the last one that can grow grown. */
function rangeEnd(prefix: string): Uint8Array {
  const bytes = encoder.encode(prefix);
  bytes[bytes.length - 1]! += 1; // Prefixes end in ':' or '/'.
  return bytes;
}
