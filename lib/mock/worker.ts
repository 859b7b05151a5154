import { instanceKey } from "../dynamo/instance_key.ts";
import { type InstanceTransport, instanceValue, tcpPath } from "../dynamo/instance_value.ts";
import { floatText, loadText } from "../dynamo/load_text.ts";
import { modelCardRecord } from "../dynamo/model_card_text.ts";
import { serviceName } from "../dynamo/service_name.ts";
import { instanceSubject } from "../dynamo/subject.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import { workerPageText } from "../dynamo/worker_page_text.ts";
import { logger } from "../log.ts";
import type { LeasedKey } from "../transport/etcd_lease.ts";
import { loadDebugText } from "./load_debug_text.ts";
import { type MockNumbers, TOTAL_BLOCKS, TOTAL_SLOTS } from "./numbers.ts";
import type { ReleaseTraits, RequestTraits } from "./releases.ts";
import type { ServiceGroup } from "./service_group.ts";
import type { MockSpeech } from "./speech.ts";

export interface WorkerParts {
  readonly target: Target;
  readonly traits: ReleaseTraits;
  readonly numbers: MockNumbers;
  readonly speech: Pick<MockSpeech, "announce" | "say">;
  /** Of the component's NATS service, for releases that have one. */
  readonly group?: Pick<ServiceGroup, "add" | "remove"> | undefined;
  /** The address of this machine, for releases that name it. */
  readonly host?: string | undefined;
  /** Where the worker's own page is, `http://HOST:PORT`, if it has one. */
  readonly pageOrigin?: string | undefined;
}

const MODEL = "mock";
const BLOCK_SIZE = 16;
const TALK_INTERVAL_MS = 1_000;
/** Named as the port of requests, which nobody answers. */
const DISCARD_PORT = 9;

/** One worker as NATS, etcd and readers of its page see it. It has an id, and answers, only between `appear` and `vanish`. */
export class MockWorker {
  readonly #parts: WorkerParts;
  readonly #instanceId = randomInstanceId();
  readonly #started = Temporal.Now.instant().toString({ smallestUnit: "nanosecond" });
  readonly #log = logger();
  #id: WorkerId | undefined;
  #talk: ReturnType<typeof setInterval> | undefined;

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
  appear(id: WorkerId): readonly LeasedKey[] {
    const { target, traits, speech, pageOrigin } = this.#parts;
    this.#id = id;
    if (pageOrigin) this.#log.info(`Worker metrics served at ${pageOrigin}/metrics`, { worker: id });
    const instance = {
      key: instanceKey(traits.keyLayout, target, id),
      value: instanceValue(target, { form: traits.instanceValue, id, transport: this.#transport(id) }),
    };
    return [instance, ...this.#card(id), ...speech.announce(id)];
  }

  vanish(): void {
    this.#id = undefined;
    this.#parts.group?.remove(this.#instanceId);
  }

  /** Says what a worker says by itself, at once and then each second, until told to be quiet. */
  talk(): void {
    if (this.#talk !== undefined) return;
    const { speech } = this.#parts;
    speech.say({ begins: true });
    this.#talk = setInterval(() => speech.say({ begins: false }), TALK_INTERVAL_MS);
  }

  quiet(): void {
    clearInterval(this.#talk);
    this.#talk = undefined;
  }

  /** The worker's page now; undefined without an id, or in a release without pages. */
  page(): string | undefined {
    const { target, traits, numbers } = this.#parts;
    if (this.#id === undefined || traits.page === undefined) return undefined;
    return workerPageText(traits.page, { target, worker: this.#id, model: MODEL, load: numbers.load });
  }

  /** Where it takes requests, so that clients have something to write to; over NATS there is a service. */
  #transport(id: WorkerId): InstanceTransport {
    const { target, traits: { requests }, host = "127.0.0.1" } = this.#parts;
    if (requests.plane === "nats") return { nats_tcp: this.#serve(id, requests) };
    return { tcp: `${host}:${DISCARD_PORT}/${tcpPath(requests.path, target, id)}` };
  }

  #serve(id: WorkerId, requests: RequestTraits & { plane: "nats" }): string {
    const { target, group } = this.#parts;
    const service = serviceName(requests.serviceForm, target.namespace, target.component);
    const subject = instanceSubject(service, target.endpoint, id);
    group?.add({
      name: service,
      id: this.#instanceId,
      version: requests.serviceVersion,
      description: `Dynamo component ${target.component} in namespace ${target.namespace}`,
      started: this.#started,
      endpoints: [{
        name: subject.replaceAll(".", "-"),
        subject,
        ...(requests.withLoad && { data: () => this.#statistics() }),
      }],
    });
    return subject;
  }

  #card(worker: WorkerId): readonly LeasedKey[] {
    const { target, traits: { card: form }, pageOrigin } = this.#parts;
    if (form === undefined) return [];
    const card = {
      worker,
      ranks: 1,
      startRank: 0,
      totalBlocks: TOTAL_BLOCKS,
      maxSeqs: TOTAL_SLOTS,
      blockSize: BLOCK_SIZE,
      model: MODEL,
      workerType: "aggregated",
      ...(pageOrigin !== undefined && { pageOrigin }),
    } as const;
    return [modelCardRecord(target, card, form)];
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
