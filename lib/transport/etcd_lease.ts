import type { Etcd3, IDuplexStream, ILeaseKeepAliveRequest, ILeaseKeepAliveResponse } from "etcd3";
import { type WorkerId, workerIdFromInteger } from "../dynamo/worker_id.ts";
import { logger } from "../log.ts";
import { Alarm, sleep, within } from "../timing.ts";
import { CALL_MS, type EtcdClient, type EtcdOptions } from "./etcd_client.ts";
import { EtcdSessions, type Session } from "./etcd_sessions.ts";

/** Somebody who is registered in etcd for as long as the program runs: one lease and the keys under it. */
export interface LeaseHolder {
  /** etcd granted a lease; answers with what to write under it. The id is etcd's choice. */
  readonly onGranted: (id: WorkerId) => readonly LeasedKey[];
  /** The keys are there. Called again after each loss of etcd. */
  readonly onWritten: () => void;
  /** The lease is gone, and with it the keys; another is sought at once. */
  readonly onLost: () => void;
}

export interface LeasedKey {
  readonly key: string;
  readonly value: string;
}

export interface EtcdLeaseOptions extends EtcdOptions {
  /** How long etcd keeps a lease that nobody renews. */
  readonly ttlSeconds?: number;
}

/** How many leases are sought at the same time. */
const LANES = 64;
/** How long the end may wait until the leases are revoked. */
const REVOKE_MS = 1_200;

/**
 * Leases that are kept for ever, each with its keys: renewed over one stream for all, sought again when etcd forgot
 * them, revoked at the end. While etcd is away nothing is lost: whether a lease outlived that, etcd says afterwards.
 *
 * npm:etcd3's own Lease is not used: it renews each lease over a stream of its own.
 */
export class EtcdLeases implements AsyncDisposable {
  readonly #options: EtcdLeaseOptions;
  readonly #leases: readonly Lease[];
  readonly #byId = new Map<string, Lease>();
  readonly #log = logger("transport");
  readonly #sessions: EtcdSessions;
  /** Rings when a lease is to be sought. */
  readonly #missing = new Alarm();

  constructor(holders: readonly LeaseHolder[], options: EtcdLeaseOptions) {
    this.#options = options;
    this.#leases = holders.map((holder) => ({
      holder,
      id: undefined,
      records: [],
      written: false,
      asked: false,
    }));
    this.#sessions = new EtcdSessions(options, {
      run: (client, session) => this.#hold(client, session),
      atEnd: (client) => this.#revoke(client),
    });
  }

  /** Revokes the leases, which removes the keys at once; does not wait for an etcd that is away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }

  async #hold(client: EtcdClient, session: Session): Promise<void> {
    const { fault } = session;
    const stream = await this.#limited(
      client.etcd.leaseClient.leaseKeepAlive(),
      "opening the stream of renewals",
    );
    stream.on("error", (error) => fault(client.cause(error)));
    stream.on("end", () => fault("the server ended the stream of renewals"));
    stream.on("data", (answer) => this.#onAnswer(answer));
    for (const lease of this.#leases) lease.written = false; // Whether the keys are still there is not known.
    await Promise.race([this.#keepAlive(stream, session), this.#keepRegistered(client.etcd, session)]);
  }

  async #keepAlive(stream: RenewalStream, { signal, fault }: Session): Promise<void> {
    const periodMs = (this.#options.ttlSeconds ?? 10) * 1_000 / 3;
    const answerMs = Math.min(this.#callMs, periodMs);
    while (!signal.aborted) {
      for (const lease of this.#leases) {
        lease.asked = lease.id !== undefined;
        if (lease.id !== undefined) stream.write({ ID: lease.id });
      }
      await sleep(answerMs, { signal });
      if (this.#leases.some((lease) => lease.asked)) {
        fault(`renewing the lease took longer than ${Math.round(answerMs)} ms`);
      }
      await sleep(periodMs - answerMs, { signal });
    }
  }

  #onAnswer({ ID, TTL }: ILeaseKeepAliveResponse): void {
    const lease = this.#byId.get(ID);
    if (lease === undefined) return;
    lease.asked = false;
    if (TTL !== "0") return;
    this.#forget(lease);
    this.#missing.ring();
  }

  async #keepRegistered(etcd: Etcd3, session: Session): Promise<void> {
    const { signal } = session;
    while (!signal.aborted) {
      const missing = this.#leases.filter((lease) => !lease.written).values();
      await Promise.all(Array.from({ length: LANES }, async () => {
        for (const lease of missing) {
          if (signal.aborted) return;
          await this.#register(etcd, { lease, session });
        }
      }));
      await this.#missing.sleep(Infinity, { signal });
    }
  }

  /** Makes the lease and its keys be there, or throws. Changes nothing once the session is aborted. */
  async #register(etcd: Etcd3, { lease, session }: { lease: Lease; session: Session }): Promise<void> {
    const { signal, succeeded } = session;
    const { EtcdLeaseInvalidError } = await import("etcd3");
    while (!lease.written && !signal.aborted) {
      if (lease.id === undefined) {
        const ttl = this.#options.ttlSeconds ?? 10;
        const { ID } = await this.#limited(etcd.leaseClient.leaseGrant({ TTL: ttl }), "granting a lease");
        if (signal.aborted) return;
        lease.id = ID;
        lease.records = lease.holder.onGranted(workerIdFromInteger(BigInt(ID))!);
        this.#byId.set(ID, lease);
      }
      try {
        await this.#limited(createIfAbsent(etcd, lease.records, lease.id), "writing the keys");
        if (signal.aborted) return;
        lease.written = true;
        lease.holder.onWritten();
        succeeded();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof EtcdLeaseInvalidError)) throw error;
        this.#forget(lease);
      }
    }
  }

  #forget(lease: Lease): void {
    this.#log.warn("Lost the lease, registering again", { key: lease.records[0]!.key });
    this.#byId.delete(lease.id!);
    lease.id = undefined;
    lease.written = false;
    lease.asked = false;
    lease.holder.onLost();
  }

  /** First the keys, a hundred a call: of ten thousand leases not all are revoked within the time. */
  async #revoke(client: EtcdClient): Promise<void> {
    const held = [...this.#byId.values()];
    const { etcd } = client;
    const removing = async () => {
      const keys = held.flatMap(({ records }) => records.map(({ key }) => encoder.encode(key) as never));
      const batches = Array.from(
        { length: Math.ceil(keys.length / 100) },
        (_, n) => keys.slice(n * 100, n * 100 + 100),
      );
      const deletions = batches.map((batch) =>
        etcd.kv.txn({ success: batch.map((key) => ({ request_delete_range: { key } })) })
      );
      await Promise.allSettled(deletions);
      await Promise.allSettled(held.map(({ id }) => etcd.leaseClient.leaseRevoke({ ID: id! })));
    };
    await within(removing(), { ms: REVOKE_MS, what: "revoking the leases" }).catch((error) =>
      this.#log.warn("Leases are left to expire", { cause: client.cause(error) })
    );
  }

  get #callMs(): number {
    return this.#options.callMs ?? CALL_MS;
  }

  #limited<T>(call: Promise<T>, what: string): Promise<T> {
    return within(call, { ms: this.#callMs, what });
  }
}

/** `id` is etcd's decimal text. `asked` while a renewal is sent and not answered, `written` while the keys are there. */
interface Lease {
  readonly holder: LeaseHolder;
  id: string | undefined;
  records: readonly LeasedKey[];
  written: boolean;
  asked: boolean;
}

type RenewalStream = IDuplexStream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>;

const encoder = new TextEncoder();

/** A key that is there already is ours, from a call whose answer was lost: its name has the lease's id, or a random one. */
async function createIfAbsent(etcd: Etcd3, records: readonly LeasedKey[], lease: string): Promise<void> {
  await Promise.all(records.map(async (record) => {
    const key = encoder.encode(record.key) as never;
    await etcd.kv.txn({
      compare: [{ result: "Equal", target: "Create", key, create_revision: "0" }],
      success: [{ request_put: { key, value: encoder.encode(record.value) as never, lease } }],
    });
  }));
}
