import { HIT_RATE_EVENT, hitRateText } from "../dynamo/hit_rate.ts";
import { instanceKey, instanceValue } from "../dynamo/instance_key.ts";
import { floatText, loadText } from "../dynamo/load_text.ts";
import { eventSubject, instanceSubject } from "../dynamo/subject.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import { logger } from "../log.ts";
import type { LeasedKey } from "../transport/etcd_lease.ts";
import type { NatsLink } from "../transport/nats.ts";
import { loadDebugText } from "./load_debug_text.ts";
import type { MockNumbers } from "./numbers.ts";
import type { ReleaseTraits } from "./releases.ts";
import type { ServiceGroup } from "./service_group.ts";

export interface WorkerParts {
  readonly target: Target;
  /** The component's NATS service. */
  readonly service: string;
  readonly traits: ReleaseTraits;
  readonly numbers: MockNumbers;
  readonly group: Pick<ServiceGroup, "add" | "remove">;
  readonly link: Pick<NatsLink, "publish">;
}

const EVENT_INTERVAL_MS = 1_000;

/** One worker as NATS and etcd see it. It has an id, and answers, only between `appear` and `vanish`. */
export class MockWorker {
  readonly #parts: WorkerParts;
  readonly #instanceId = randomInstanceId();
  readonly #started = Temporal.Now.instant().toString({ smallestUnit: "nanosecond" });
  readonly #log = logger();
  #id: WorkerId | undefined;
  #events: ReturnType<typeof setInterval> | undefined;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  get id(): WorkerId | undefined {
    return this.#id;
  }

  /** The id of a worker that etcd gives none. */
  get ownId(): WorkerId {
    return this.#parts.numbers.id;
  }

  /** Begins to answer under this id; gives what etcd is to hold of it. */
  appear(id: WorkerId): LeasedKey {
    const { target, service, traits, group } = this.#parts;
    const subject = instanceSubject(service, target.endpoint, id);
    this.#id = id;
    group.add({
      name: service,
      id: this.#instanceId,
      version: traits.serviceVersion,
      description: `Dynamo component ${target.component} in namespace ${target.namespace}`,
      started: this.#started,
      endpoints: [{ name: subject.replaceAll(".", "-"), subject, data: () => this.#statistics() }],
    });
    return {
      key: instanceKey(traits.keyLayout, target, id),
      value: instanceValue(target, { idField: traits.idField, id, subject }),
    };
  }

  vanish(): void {
    this.#id = undefined;
    this.#parts.group.remove(this.#instanceId);
  }

  /** Publishes a `kv-hit-rate` event at once and then each second, until told to be quiet. */
  talk(): void {
    if (this.#events !== undefined) return;
    this.#publishHitRate();
    this.#events = setInterval(() => this.#publishHitRate(), EVENT_INTERVAL_MS);
  }

  quiet(): void {
    clearInterval(this.#events);
    this.#events = undefined;
  }

  #publishHitRate(): void {
    const { target, numbers, link } = this.#parts;
    const event = hitRateText(numbers.nextHitRate());
    const problem = link.publish(eventSubject(target.namespace, HIT_RATE_EVENT), event);
    this.#log.debug("Published KV hit rate event", { event, problem });
  }

  #statistics(): string {
    const load = this.#parts.numbers.nextLoad();
    if (this.#log.isEnabledFor("info")) this.#log.info(`Stats: ${loadDebugText(load)}`);
    return loadText(load, floatText);
  }
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** What NATS clients tell services of one name apart by: 22 characters, the form of NATS' own ids. */
function randomInstanceId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(22)), (word) => BASE62[word % 62]).join("");
}
