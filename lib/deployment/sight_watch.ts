import type { Sight } from "../fleet/look.ts";
import { type Clock, Streak } from "../timing.ts";
import type { NatsLink } from "../transport/nats.ts";

const PULSE_MS = 1_000;

/**
 * Knows when signs of life of workers could reach us: while this process ran, and, for those that answer on NATS, while
 * its server was heard.
 */
export class SightWatch implements Disposable {
  readonly #clock: Clock;
  readonly #awake: Streak;
  readonly #pulse: ReturnType<typeof setInterval>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#awake = new Streak(1.5 * PULSE_MS, clock().monotonicMs);
    this.#pulse = setInterval(() => this.#awake.note(clock().monotonicMs), PULSE_MS);
  }

  /** @param nats the link that workers need; undefined if they need none */
  read(nats: Pick<NatsLink, "heard"> | undefined): Sight {
    this.#awake.note(this.#clock().monotonicMs);
    const awake = this.#awake.span;
    if (nats === undefined) return awake;
    const { heard } = nats;
    return heard && { sinceMs: Math.max(awake.sinceMs, heard.sinceMs), untilMs: heard.untilMs };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#pulse);
  }
}
