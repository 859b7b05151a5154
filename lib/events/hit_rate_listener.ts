import { isEnvelope, parseEnvelope } from "../dynamo/event_envelope.ts";
import { EventError, type EventProblem, jsonText, noProblems } from "../dynamo/event_error.ts";
import { HIT_RATE_EVENT, type HitRate, parseHitRate, parseHitRateEnvelope } from "../dynamo/hit_rate.ts";
import { eventSubject } from "../dynamo/subject.ts";
import { logger } from "../log.ts";
import type { NatsLink } from "../transport/nats.ts";

/** The events heard since they were last taken, in order, and how many others were refused. */
export interface HitRateInput {
  readonly kind: "hit_rates";
  readonly events: readonly HitRate[];
  readonly rejected: Readonly<Record<EventProblem, number>>;
}

export interface HitRateListenerOptions {
  readonly nats: NatsLink;
  readonly namespace: string;
}

/** Hears a namespace's hit-rate events and keeps them until somebody takes them. */
export class HitRateListener implements Disposable {
  readonly #subscription: Disposable;
  readonly #log = logger("events");
  #isFilled = false;
  #events: HitRate[] = [];
  #rejected = noProblems();
  onInput = () => {};

  constructor({ nats, namespace }: HitRateListenerOptions) {
    this.#subscription = nats.subscribe(eventSubject(namespace, HIT_RATE_EVENT), ({ data }) => {
      const isFirst = !this.#isFilled;
      this.#read(data);
      if (isFirst) this.onInput();
    });
  }

  take(): readonly HitRateInput[] {
    if (!this.#isFilled) return [];
    this.#isFilled = false;
    const input = { kind: "hit_rates", events: this.#events, rejected: this.#rejected } as const;
    this.#events = [];
    this.#rejected = noProblems();
    return [input];
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
