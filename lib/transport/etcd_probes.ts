import { onAbort, sleep, within } from "../timing.ts";
import { CALL_MS, type EtcdClient, type EtcdOptions, openEtcd } from "./etcd_client.ts";
import type { EtcdMember, EtcdMembers } from "./etcd_members.ts";

const EVERY_MS = 5_000;

/**
 * Asks the members that no session is with how they are, every 5 s: so a sick one is known before it is needed. A client
 * of each stays open. Disposal ends it all at once.
 */
export class EtcdProbes implements Disposable {
  readonly #members: EtcdMembers;
  readonly #options: Pick<EtcdOptions, "auth" | "callMs" | "probeMs">;
  readonly #isWell: () => boolean;
  readonly #stop = new AbortController();
  readonly #clients = new Map<EtcdMember, EtcdClient>();

  /** @param isWell whether a session stands. Otherwise nobody is asked, since etcd itself is sought */
  constructor(
    members: EtcdMembers,
    options: Pick<EtcdOptions, "auth" | "callMs" | "probeMs"> & { readonly isWell: () => boolean },
  ) {
    this.#members = members;
    this.#options = options;
    this.#isWell = options.isWell;
    void this.#run(this.#stop.signal);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    for (const member of this.#clients.keys()) this.#close(member);
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#options.probeMs ?? EVERY_MS, { signal });
      if (signal.aborted || !this.#isWell()) continue;
      if (this.#members.current !== undefined) this.#close(this.#members.current);
      const ended = Promise.withResolvers<void>();
      using _ = onAbort(signal, ended.resolve);
      await Promise.race([
        Promise.all(this.#members.others.map((member) => this.#probe(member))),
        ended.promise,
      ]);
      if (!signal.aborted && this.#isWell()) this.#members.nameSick();
    }
  }

  async #probe(member: EtcdMember): Promise<void> {
    const failure = await this.#failure(member);
    if (failure !== undefined) this.#close(member);
    // Meanwhile a session may have begun with it, or all may have ended.
    if (this.#stop.signal.aborted || !this.#isWell() || member === this.#members.current) return;
    if (failure === undefined) this.#members.succeeded(member);
    else this.#members.failed(member, failure);
  }

  /** What is wrong with a member, if anything is. */
  async #failure(member: EtcdMember): Promise<string | undefined> {
    const client = this.#clients.get(member) ?? await openEtcd(member.endpoint, this.#options);
    if (this.#stop.signal.aborted) client[Symbol.dispose]();
    else this.#clients.set(member, client);
    try {
      await within(askForKey(client), { ms: this.#options.callMs ?? CALL_MS, what: "asking for a key" });
      return undefined;
    } catch (error) {
      return client.cause(error);
    }
  }

  #close(member: EtcdMember): void {
    this.#clients.get(member)?.[Symbol.dispose]();
    this.#clients.delete(member);
  }
}

/** Asks what a member can answer only while it has a leader. That we may not read the key is an answer too. */
async function askForKey({ etcd }: EtcdClient): Promise<void> {
  const { EtcdPermissionDeniedError } = await import("etcd3");
  try {
    await etcd.kv.range({ key: Uint8Array.of(0) as never, count_only: true });
  } catch (error) {
    if (!(error instanceof EtcdPermissionDeniedError)) throw error;
  }
}
