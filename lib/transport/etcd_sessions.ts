import { onAbort, sleep } from "../timing.ts";
import { type ConnectionState, Connectivity } from "./connectivity.ts";
import { causeText, type EtcdClient, type EtcdOptions, openEtcd } from "./etcd_client.ts";
import { type EtcdMember, EtcdMembers } from "./etcd_members.ts";
import { EtcdProbes } from "./etcd_probes.ts";
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

/** How long a member may be sought in the place of one that failed before etcd counts as lost. */
const HANDOVER_MS = 2_000;

/**
 * Sessions with etcd, sought for ever, each with one member: calls of npm:etcd3 were seen never to settle after a
 * restart, so after any failure a new client begins, and a call that hangs is left behind with the old one. A member
 * that fails is left aside, and the next one is tried at once. If all have failed, the next round begins after a pause.
 */
export class EtcdSessions implements AsyncDisposable {
  readonly #options: EtcdOptions;
  readonly #work: SessionWork;
  readonly #stop = new AbortController();
  readonly #outage: Outage;
  readonly #members: EtcdMembers;
  readonly #running: Promise<void>;
  readonly #connectivity = new Connectivity();
  #tried = false;
  /** Set while another member is sought in the place of one that failed. */
  #handover: ReturnType<typeof setTimeout> | undefined;

  constructor(options: EtcdOptions, work: SessionWork) {
    this.#options = options;
    this.#work = work;
    this.#outage = new Outage("etcd", options.endpoints.join(","));
    this.#members = new EtcdMembers(options.endpoints);
    this.#running = this.#run(AbortSignal.any([options.signal, this.#stop.signal]));
  }

  /** True from the first success of a session to the loss of etcd. A member that is replaced within 2 s is no loss. */
  get connected(): boolean {
    return this.#connectivity.state.connected;
  }

  /** The same, with why not and since when. */
  get state(): ConnectionState {
    return this.#connectivity.state;
  }

  /** True once etcd did what it was asked, or a member could not be reached. */
  get tried(): boolean {
    return this.#tried;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#outage[Symbol.dispose]();
  }

  async #run(signal: AbortSignal): Promise<void> {
    using _ = this.#options.endpoints.length > 1
      ? new EtcdProbes(this.#members, {
        ...this.#options,
        isWell: () => this.connected && this.#handover === undefined,
      })
      : undefined;
    while (!signal.aborted) {
      const member = this.#members.choose();
      if (member === undefined) {
        this.#lose();
        await sleep(this.#options.retryMs ?? 300, { signal });
        this.#members.forgive();
        continue;
      }
      const end = await this.#session(member, signal).catch((error): SessionEnd => ({
        kind: "lost",
        cause: causeText(error),
      }));
      if (end.kind !== "lost" || signal.aborted) continue;
      this.#tried = true;
      this.#members.failed(member, end.cause);
      if (this.connected) this.#handover ??= setTimeout(() => this.#lose(), HANDOVER_MS);
    }
    this.#endHandover();
  }

  async #session(member: EtcdMember, outer: AbortSignal): Promise<SessionEnd> {
    const inner = new AbortController();
    const ended = Promise.withResolvers<SessionEnd>();
    using client = await openEtcd(member.endpoint, this.#options);
    using _ = onAbort(outer, () => {
      inner.abort();
      ended.resolve({ kind: "told" });
    });
    this.#work.run(client, {
      signal: inner.signal,
      fault: (cause) => ended.resolve({ kind: "lost", cause }),
      succeeded: () => this.#onSuccess(member),
    }).then(
      () => ended.resolve({ kind: "renewed" }),
      (error) => ended.resolve({ kind: "lost", cause: client.cause(error) }),
    );
    const end = await ended.promise;
    if (end.kind === "told" && this.connected) await this.#work.atEnd?.(client);
    inner.abort();
    return end;
  }

  #onSuccess(member: EtcdMember): void {
    this.#endHandover();
    this.#tried = true;
    this.#members.succeeded(member);
    this.#members.nameSick();
    if (this.connected) return;
    this.#connectivity.up();
    this.#outage.over();
  }

  /** No member is there, or none was found in time. */
  #lose(): void {
    this.#endHandover();
    const cause = this.#members.causes;
    const wasConnected = this.connected;
    this.#connectivity.down(cause);
    if (wasConnected) {
      this.#outage.lost(cause);
      this.#work.onLost?.();
    } else {
      this.#outage.unreachable(cause);
    }
  }

  #endHandover(): void {
    clearTimeout(this.#handover);
    this.#handover = undefined;
  }
}
