import {
  EventError,
  type EventProblem,
  HIT_RATE_EVENT,
  type HitRate,
  parseHitRate,
} from "../dynamo/hit_rate.ts";
import { eventSubject } from "../dynamo/subject.ts";
import { logger } from "../log.ts";
import type { NatsLink } from "../transport/nats.ts";

/** The events heard since they were last taken, in order, and why others were refused. */
export interface HitRateBatch {
  readonly events: readonly HitRate[];
  readonly rejected: readonly EventProblem[];
}

export interface HitRateListenerOptions {
  readonly nats: NatsLink;
  readonly namespace: string;
  /** Told of each event; it should only take note. */
  readonly onEvent: () => void;
}

/** Hears a namespace's hit-rate events and keeps them until somebody takes them. */
export class HitRateListener implements Disposable {
  readonly #unsubscribe: () => void;
  readonly #log = logger("events");
  #events: HitRate[] = [];
  #rejected: EventProblem[] = [];

  constructor({ nats, namespace, onEvent }: HitRateListenerOptions) {
    this.#unsubscribe = nats.subscribe(eventSubject(namespace, HIT_RATE_EVENT), ({ data }) => {
      this.#read(data);
      onEvent();
    });
  }

  take(): HitRateBatch {
    const batch = { events: this.#events, rejected: this.#rejected };
    this.#events = [];
    this.#rejected = [];
    return batch;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }

  #read(data: Uint8Array): void {
    try {
      this.#events.push(parseHitRate(decoder.decode(data)));
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      this.#rejected.push(error.problem);
      this.#log.debug("Rejected an event", {
        event: HIT_RATE_EVENT,
        reason: error.problem,
        detail: error.message,
      });
    }
  }
}

const decoder = new TextDecoder();
