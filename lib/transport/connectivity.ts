import { type Clock, type Instant, systemClock } from "../timing.ts";

/** Whether a server is connected, why not, and since when. */
export interface ConnectionState {
  readonly connected: boolean;
  /** Why it is not connected; undefined while it is, and before the first try has failed. */
  readonly reason: string | undefined;
  /** When `connected` became what it is. */
  readonly since: Instant;
}

/** Keeps the state of one connection. */
export class Connectivity {
  readonly #clock: Clock;
  #state: ConnectionState;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#state = { connected: false, reason: undefined, since: clock() };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  up(): void {
    if (!this.#state.connected) this.#state = { connected: true, reason: undefined, since: this.#clock() };
  }

  /** A `reason` that is not known yet may be said later. */
  down(reason?: string): void {
    const { connected, since } = this.#state;
    this.#state = { connected: false, reason, since: connected ? this.#clock() : since };
  }
}
