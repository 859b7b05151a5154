import type { Etcd3, IKeyValue, Watcher } from "etcd3";
import { onAbort, sleep, within } from "../timing.ts";
import type { ConnectionState } from "./connectivity.ts";
import { CALL_MS, type EtcdClient, type EtcdOptions } from "./etcd_client.ts";
import { EtcdSessions, type Session } from "./etcd_sessions.ts";
import type { KeyRange, KeyStore, StoredKey } from "./key_store.ts";

export interface EtcdMirrorOptions extends EtcdOptions {
  /** How often etcd is asked what has changed, beside the watch. */
  readonly relistMs?: number;
}

/**
 * The keys below some prefixes, kept equal to what etcd has by a watch, and by asking every few seconds what has changed:
 * a watch of npm:etcd3 was seen to say `connected` and deliver nothing (after a restart, wiped data, a compaction). So
 * every call has a limit, and at the first failure, or when an answer shows what the watch did not say, all begins anew.
 */
export class EtcdMirror implements KeyStore, AsyncDisposable {
  readonly kind = "etcd";
  readonly name = "etcd";
  readonly #options: EtcdMirrorOptions;
  readonly #ranges: readonly Range[];
  readonly #listeners = new Set<() => void>();
  readonly #sessions: EtcdSessions;
  /** That of the present session. */
  #client: Etcd3 | undefined;

  constructor(ranges: readonly KeyRange[], options: EtcdMirrorOptions) {
    this.#options = options;
    this.#ranges = ranges.map((range) => ({ ...range, keys: new Map(), revision: 0, seen: 0, owed: false }));
    this.#sessions = new EtcdSessions(options, {
      run: (client, session) => this.#mirror(client, session),
      onLost: () => this.#onChange(),
    });
  }

  /** True while list and watch work; while false the keys are those last known. */
  get connected(): boolean {
    return this.#sessions.connected;
  }

  get state(): ConnectionState {
    return this.#sessions.state;
  }

  get tried(): boolean {
    return this.#sessions.tried;
  }

  entries(prefix: string): ReadonlyMap<string, StoredKey> {
    return this.#ranges.find((range) => range.prefix === prefix)?.keys ?? new Map();
  }

  async firstKey(from: string, before: string): Promise<string | undefined> {
    if (this.#client === undefined) throw new Error("etcd is not connected");
    const { kvs } = await this.#limited(this.#client.kv.range({
      key: encoder.encode(from) as never,
      range_end: encoder.encode(before) as never,
      keys_only: true,
      limit: 1,
    }));
    return kvs[0]?.key.toString();
  }

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

  /** Lists and watches, then asks again and again; returns when the watch does not speak. */
  async #mirror(client: EtcdClient, { signal, fault, succeeded }: Session): Promise<void> {
    for (const range of this.#ranges) {
      range.revision = range.seen = 0;
      await this.#list(client.etcd, range);
      range.owed = false;
      this.#watch(client, range, fault);
    }
    succeeded();
    this.#onChange();
    this.#client = client.etcd;
    using _ = onAbort(signal, () => this.#client = undefined);
    while (true) {
      await sleep(this.#options.relistMs ?? 2_500, { signal });
      if (signal.aborted) return;
      if (this.#ranges.some(({ owed }) => owed)) return;
      for (const range of await this.#findChanged(client.etcd)) {
        await this.#list(client.etcd, range);
        this.#onChange();
      }
    }
  }

  /** Makes the range what etcd says, unless the watch has told of more meanwhile. */
  async #list(client: Etcd3, range: Range): Promise<void> {
    const { header, kvs } = await this.#limited(
      client.kv.range({ ...bounds(range), keys_only: !range.withValues }),
    );
    const revision = Number(header.revision);
    if (revision < range.seen) return;
    range.revision = range.seen = revision;
    range.keys = new Map(kvs.map((kv) => [kv.key.toString(), toStored(kv)]));
  }

  /** Those of which etcd says something else than the watch did: one call, whose answer is as short as the changes are few. */
  async #findChanged(client: Etcd3): Promise<Range[]> {
    const { header, responses } = await this.#limited(
      client.kv.txn({
        success: this.#ranges.map((range) => ({
          request_range: { ...bounds(range), keys_only: true, min_mod_revision: range.revision + 1 },
        })),
      }),
    );
    const revision = Number(header.revision);
    return this.#ranges.filter((range, n) => {
      if (revision < range.revision) throw new Error("the data went back in time");
      if (revision < range.seen) return false; // The watch is ahead of this answer.
      const { count, kvs } = responses[n]!.response_range;
      const isSame = Number(count) === range.keys.size &&
        kvs.every((kv) => range.keys.get(kv.key.toString())?.version === kv.mod_revision);
      if (isSame) range.revision = range.seen = revision;
      else range.owed = true; // Until the watch tells of it, be it while the keys are listed.
      return !isSame;
    });
  }

  #limited<T>(call: Promise<T>): Promise<T> {
    return within(call, { ms: this.#options.callMs ?? CALL_MS, what: "listing the keys" });
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
        if (type === "Put") range.keys.set(kv.key.toString(), toStored(kv));
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
 * The keys below one prefix. `revision` is that of etcd's last answer, `seen` the newest that it or the watch told of;
 * `owed` while an answer has shown a change of which the watch has not told yet.
 */
interface Range extends KeyRange {
  keys: Map<string, StoredKey>;
  revision: number;
  seen: number;
  owed: boolean;
}

function toStored({ value, lease, mod_revision }: IKeyValue): StoredKey {
  return { value: value.toString(), lease: lease === "0" ? undefined : lease, version: mod_revision };
}

const encoder = new TextEncoder();

function bounds({ prefix }: KeyRange) {
  return { key: encoder.encode(prefix) as never, range_end: rangeEnd(prefix) as never };
}

/** The first key after all that begin with `prefix`: its bytes with the last one that can grow grown. */
function rangeEnd(prefix: string): Uint8Array {
  const bytes = encoder.encode(prefix);
  bytes[bytes.length - 1]! += 1; // Prefixes end in ':' or '/'.
  return bytes;
}
