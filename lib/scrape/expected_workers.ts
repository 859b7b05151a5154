import type { WorkerId } from "../dynamo/worker_id.ts";

/** Those whose answers a round waits for; the round's own. */
export class ExpectedWorkers {
  readonly #services: (string | undefined)[];
  readonly #positionOf: (worker: WorkerId) => number | undefined;
  /** How many there were at first. */
  readonly size: number;
  #missing: number;

  /**
   * @param services by position, the service name at which a worker last answered; undefined for one who is not waited for.
   * The list is taken over.
   * @param positionOf of those that are known
   */
  constructor(
    services: (string | undefined)[],
    positionOf: (worker: WorkerId) => number | undefined,
  ) {
    this.#services = services;
    this.#positionOf = positionOf;
    this.#missing = this.size = services.reduce((sum, service) => service === undefined ? sum : sum + 1, 0);
  }

  /** How many are still waited for. */
  get missing(): number {
    return this.#missing;
  }

  /** This one answered. */
  heard(worker: WorkerId): void {
    const position = this.#positionOf(worker);
    if (position !== undefined) this.#strike(position);
  }

  /** Nobody is waited for at this service any more. */
  close(service: string): void {
    for (let position = 0; position < this.#services.length; position++) {
      if (this.#services[position] === service) this.#strike(position);
    }
  }

  #strike(position: number): void {
    if (this.#services[position] === undefined) return;
    this.#services[position] = undefined;
    this.#missing--;
  }
}
