import type { Etcd3, Watcher } from "etcd3";
import { onAbort, sleep, within } from "../timing.ts";
import { causeText, type EtcdClient, type EtcdOptions, openEtcd } from "./etcd_client.ts";
import { Outage } from "./outage.ts";

export interface EtcdMirrorOptions extends EtcdOptions {
  /** How often the keys are listed anew beside the watch. */
  readonly relistMs?: number;
}

/**
 * The keys below some prefixes, kept equal to what etcd has by a watch, and by listing them anew every few seconds: a
 * watch of npm:etcd3 was seen to say `connected` and deliver nothing (after a restart, wiped data, a compaction), and
 * its calls were seen never to settle. So every call has a limit, and at the first failure, or when a list shows what
 * the watch did not say, the client is closed and all begins anew.
 */
export class EtcdMirror implements AsyncDisposable {
  readonly #options: EtcdMirrorOptions;
  readonly #ranges: readonly Range[];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #outage: Outage;
  #connected = false;
  #onChange: () => void = () => {};

  constructor(prefixes: readonly string[], options: EtcdMirrorOptions) {
    this.#options = options;
    this.#outage = new Outage("etcd", options.endpoints.join(","));
    this.#ranges = prefixes.map((prefix) => ({ prefix, keys: new Set(), revision: 0, seen: 0, owed: false }));
    this.#running = this.#run(AbortSignal.any([options.signal, this.#stop.signal]));
  }

  /** True while list and watch work; while false the keys are those last known. */
  get connected(): boolean {
    return this.#connected;
  }

  /** The live set of keys below one of the prefixes. */
  keys(prefix: string): ReadonlySet<string> {
    return this.#ranges.find((range) => range.prefix === prefix)?.keys ?? new Set();
  }

  /** Calls `onChange` after every change of keys or connection; it should only take note. */
  listen(onChange: () => void): void {
    this.#onChange = onChange;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const cause = await this.#session(signal).catch(causeText);
      if (signal.aborted) return;
      if (cause === DUMB_WATCH) continue;
      if (this.#connected) {
        this.#connected = false;
        this.#outage.lost(cause);
        this.#onChange();
      } else {
        this.#outage.unreachable(cause);
      }
      await sleep(this.#options.retryMs ?? 300, { signal });
    }
  }

  /** One client's life, until a fault or the end; gives the cause. A call that hangs is left behind with its client. */
  async #session(outer: AbortSignal): Promise<string> {
    const session = new AbortController();
    const { signal } = session;
    using client = await openEtcd(this.#options);
    const end = Promise.withResolvers<string>();
    using _ = onAbort(outer, () => {
      session.abort();
      end.resolve("stopped");
    });
    try {
      const work = this.#mirror(client, { signal, fault: end.resolve });
      work.catch(() => {}); // The race below has settled when it fails later.
      return await Promise.race([end.promise, work]);
    } catch (error) {
      return client.cause(error);
    } finally {
      session.abort();
    }
  }

  /** Lists and watches, then lists again and again; gives the cause of its end. */
  async #mirror(
    client: EtcdClient,
    options: { signal: AbortSignal; fault: (cause: string) => void },
  ): Promise<string> {
    const { signal, fault } = options;
    for (const range of this.#ranges) {
      range.revision = 0;
      await this.#list(client.etcd, range);
      range.owed = false;
      this.#watch(client, range, fault);
    }
    if (!this.#connected) {
      this.#connected = true;
      this.#outage.over();
    }
    this.#onChange();
    while (true) {
      await sleep(this.#options.relistMs ?? 2_500, { signal });
      if (signal.aborted) return "stopped";
      for (const range of this.#ranges) {
        if (range.owed) return DUMB_WATCH;
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

/** The end of a session that is no loss: the keys are true, but the watch does not speak. */
const DUMB_WATCH = "the watch does not speak";

const encoder = new TextEncoder();

/** The first key after all that begin with `prefix`: its bytes with the last one that can grow grown. */
function rangeEnd(prefix: string): Uint8Array {
  const bytes = encoder.encode(prefix);
  bytes[bytes.length - 1]! += 1; // Prefixes end in ':' or '/'.
  return bytes;
}
