import { onAbort, sleep } from "../timing.ts";
import { causeText, type EtcdClient, type EtcdOptions, openEtcd } from "./etcd_client.ts";
import { Outage } from "./outage.ts";

/** What is done with etcd for as long as it takes, one client after the other. */
export interface SessionWork {
  /**
   * Works with one client until its signal is aborted. A rejection ends the session as a fault does; a return asks for a
   * fresh one, which is no loss.
   */
  readonly run: (client: EtcdClient, session: Session) => Promise<void>;
  /** Called with the last client when all ends while etcd is there. */
  readonly atEnd?: (client: EtcdClient) => Promise<void>;
  /** Told of a loss. */
  readonly onLost?: () => void;
}

export interface Session {
  readonly signal: AbortSignal;
  /** Ends the session from a callback. */
  readonly fault: (cause: string) => void;
  /** To be called when etcd did what it was asked. */
  readonly succeeded: () => void;
}

type SessionEnd = { readonly kind: "told" | "renewed" } | { readonly kind: "lost"; readonly cause: string };

/**
 * Sessions with etcd, sought for ever: calls of npm:etcd3 were seen never to settle after a restart, so after any
 * failure a new client begins, and a call that hangs is left behind with the old one.
 */
export class EtcdSessions implements AsyncDisposable {
  readonly #options: EtcdOptions;
  readonly #work: SessionWork;
  readonly #stop = new AbortController();
  readonly #outage: Outage;
  readonly #running: Promise<void>;
  #connected = false;
  #tried = false;

  constructor(options: EtcdOptions, work: SessionWork) {
    this.#options = options;
    this.#work = work;
    this.#outage = new Outage("etcd", options.endpoints.join(","));
    this.#running = this.#run(AbortSignal.any([options.signal, this.#stop.signal]));
  }

  /** True from the first success of a session to its loss. */
  get connected(): boolean {
    return this.#connected;
  }

  /** True once etcd did what it was asked, or could not be reached. */
  get tried(): boolean {
    return this.#tried;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#outage[Symbol.dispose]();
  }

  async #run(signal: AbortSignal): Promise<void> {
    await sleep(this.#options.beginAfterMs ?? 0, { signal });
    while (!signal.aborted) {
      const end = await this.#session(signal).catch((error): SessionEnd => ({
        kind: "lost",
        cause: causeText(error),
      }));
      if (signal.aborted) return;
      if (end.kind !== "lost") continue;
      this.#tried = true;
      if (this.#connected) {
        this.#connected = false;
        this.#outage.lost(end.cause);
        this.#work.onLost?.();
      } else {
        this.#outage.unreachable(end.cause);
      }
      await sleep(this.#options.retryMs ?? 300, { signal });
    }
  }

  async #session(outer: AbortSignal): Promise<SessionEnd> {
    const inner = new AbortController();
    const ended = Promise.withResolvers<SessionEnd>();
    using client = await openEtcd(this.#options);
    using _ = onAbort(outer, () => {
      inner.abort();
      ended.resolve({ kind: "told" });
    });
    this.#work.run(client, {
      signal: inner.signal,
      fault: (cause) => ended.resolve({ kind: "lost", cause }),
      succeeded: () => this.#onSuccess(),
    }).then(
      () => ended.resolve({ kind: "renewed" }),
      (error) => ended.resolve({ kind: "lost", cause: client.cause(error) }),
    );
    const end = await ended.promise;
    if (end.kind === "told" && this.#connected) await this.#work.atEnd?.(client);
    inner.abort();
    return end;
  }

  #onSuccess(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#tried = true;
    this.#outage.over();
  }
}
