import { type EventChannel, eventChannelRecord } from "../dynamo/event_channel.ts";
import { encodeEnvelope, zmqFrames } from "../dynamo/event_envelope.ts";
import { componentEventSubject, endpointEventSubject, eventSubject } from "../dynamo/subject.ts";
import type { Target } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import { BindError } from "../transport/bind_error.ts";
import type { LeasedKey } from "../transport/etcd_lease.ts";
import type { NatsLink } from "../transport/nats.ts";
import { ZmqPublisher } from "../transport/zmq_pub.ts";

export interface MockEventChannelOptions {
  readonly topic: string;
  readonly target: Target;
  /** Of what the channel is, which its key and its subject name. */
  readonly scope: EventScope;
  readonly carrier: EventCarrier;
}

export type EventScope = "namespace" | "component" | "endpoint";

/** What carries a worker's events: NATS, or a ZMQ socket for each channel on the machine of this address. */
export type EventCarrier =
  | { readonly plane: "nats"; readonly link: Pick<NatsLink, "publish"> }
  | { readonly plane: "zmq"; readonly host: string };

/** The events of one topic of one worker, each in a numbered envelope. */
export class MockEventChannel implements AsyncDisposable {
  readonly #options: MockEventChannelOptions;
  readonly #subject: string;
  readonly #socket: ZmqPublisher | undefined;
  #publisher: WorkerId | undefined;
  #sequence = 0;

  /** Binds a port where ZMQ carries it. @throws {BindError} */
  constructor(options: MockEventChannelOptions) {
    this.#options = options;
    this.#subject = SUBJECTS[options.scope](options.target, options.topic);
    if (options.carrier.plane === "zmq") this.#socket = bind();
  }

  /** What etcd is to hold of it. Events come from this publisher from now on, numbered from 0. */
  announce(publisher: WorkerId): LeasedKey {
    const { topic, scope, target: { namespace, component, endpoint } } = this.#options;
    this.#publisher = publisher;
    this.#sequence = 0;
    return eventChannelRecord({
      topic,
      namespace,
      component: scope === "namespace" ? undefined : component,
      endpoint: scope === "endpoint" ? endpoint : undefined,
      publisher,
      transport: this.#transport(),
    });
  }

  /** Sends an event's payload, if the channel is announced. */
  send(payload: Uint8Array): void {
    const { topic, carrier } = this.#options;
    if (this.#publisher === undefined) return;
    const envelope = {
      publisher: this.#publisher,
      sequence: this.#sequence++,
      topic,
      payload,
    };
    const published = { publishedAtMs: Date.now() };
    if (carrier.plane === "nats") carrier.link.publish(this.#subject, encodeEnvelope(envelope, published));
    else this.#socket!.send(zmqFrames(envelope, published));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket?.[Symbol.asyncDispose]();
  }

  #transport(): EventChannel["transport"] {
    const { carrier } = this.#options;
    if (carrier.plane === "nats") return { kind: "nats", subject: this.#subject };
    return { kind: "zmq", host: carrier.host, port: this.#socket!.port };
  }
}

const SUBJECTS: Readonly<Record<EventScope, (target: Target, topic: string) => string>> = {
  namespace: ({ namespace }, topic) => eventSubject(namespace, topic),
  component: componentEventSubject,
  endpoint: endpointEventSubject,
};

function bind(): ZmqPublisher {
  try {
    return new ZmqPublisher();
  } catch (cause) {
    throw new BindError(`Failed to bind a ZMQ socket: ${(cause as Error).message}`, { cause });
  }
}
