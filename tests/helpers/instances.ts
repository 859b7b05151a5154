import { instanceKey, instanceKeyPrefix } from "../../lib/dynamo/instance_key.ts";
import type { Target } from "../../lib/dynamo/target.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { Deployment, type DeploymentOptions } from "../../lib/deployment/deployment.ts";
import { systemClock } from "../../lib/timing.ts";
import type { ConnectionState } from "../../lib/transport/connectivity.ts";
import type { KeyStore, StoredKey } from "../../lib/transport/key_store.ts";

/** The state of what is always connected. */
export const CONNECTED: ConnectionState = {
  connected: true,
  reason: undefined,
  since: { monotonicMs: 0, epochMs: 1_795_518_000_000 },
};

/** A store of nothing but a target's instances. */
export class Instances implements KeyStore {
  readonly kind = "etcd";
  readonly name = "etcd";
  readonly connected = true;
  readonly state = CONNECTED;
  readonly tried = true;
  readonly #listeners = new Set<() => void>();
  readonly #target: Target;
  #keys: ReadonlyMap<string, StoredKey> = new Map();

  constructor(target: Target) {
    this.#target = target;
  }

  entries(prefix: string): ReadonlyMap<string, StoredKey> {
    return prefix === instanceKeyPrefix("instances", this.#target) ? this.#keys : new Map();
  }

  firstKey(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  listen(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  set(workers: readonly WorkerId[]): void {
    const value = { value: "", lease: undefined, version: "1" };
    this.#keys = new Map(workers.map((id) => [instanceKey("instances", this.#target, id), value]));
    for (const listener of this.#listeners) listener();
  }
}

/** A deployment whose notes nobody keeps, of workers that stay. */
export function deploymentOf(
  options: Pick<DeploymentOptions, "targets" | "nats" | "store" | "pollIntervalMs" | "channels">,
): Deployment {
  return new Deployment({
    clock: systemClock,
    recorder: { note() {} },
    workerUrls: [],
    limits: { staleAfterMs: 60_000, forgetAfterMs: 60_000, stuckAfterMs: 10_000 },
    ...options,
  });
}
