import { isEnvelope, parseEnvelope } from "../dynamo/event_envelope.ts";
import { EventError, type EventProblem, jsonText, noProblems } from "../dynamo/event_error.ts";
import { HIT_RATE_EVENT, type HitRate, parseHitRate, parseHitRateEnvelope } from "../dynamo/hit_rate.ts";
import { eventSubject } from "../dynamo/subject.ts";
import { logger } from "../log.ts";
import type { NatsLink } from "../transport/nats.ts";

/** The events heard since they were last taken, in order, and how many others were refused. */
export interface HitRateBatch {
  readonly events: readonly HitRate[];
  readonly rejected: Readonly<Record<EventProblem, number>>;
}

export interface HitRateListenerOptions {
  readonly nats: NatsLink;
  readonly namespace: string;
  /** Told of the first event since the last taking; it should only take note. */
  readonly onEvent: () => void;
}

/** Hears a namespace's hit-rate events and keeps them until somebody takes them. */
export class HitRateListener implements Disposable {
  readonly #subscription: Disposable;
  readonly #log = logger("events");
  #isFilled = false;
  #events: HitRate[] = [];
  #rejected = noProblems();

  constructor({ nats, namespace, onEvent }: HitRateListenerOptions) {
    this.#subscription = nats.subscribe(eventSubject(namespace, HIT_RATE_EVENT), ({ data }) => {
      const isFirst = !this.#isFilled;
      this.#read(data);
      if (isFirst) onEvent();
    });
  }

  /** What came since the last call, undefined when nothing did. */
  take(): HitRateBatch | undefined {
    if (!this.#isFilled) return undefined;
    this.#isFilled = false;
    const batch = { events: this.#events, rejected: this.#rejected };
    this.#events = [];
    this.#rejected = noProblems();
    return batch;
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #read(data: Uint8Array): void {
    this.#isFilled = true;
    try {
      this.#events.push(
        isEnvelope(data) ? parseHitRateEnvelope(parseEnvelope(data)) : parseHitRate(jsonText(data)),
      );
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      this.#rejected[error.problem]++;
      this.#log.debug("Rejected an event", {
        event: HIT_RATE_EVENT,
        reason: error.problem,
        detail: error.message,
      });
    }
  }
}
