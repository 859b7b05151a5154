import { onAbort } from "../timing.ts";

/** Lets so many in at once; the others wait, and who came first is first. */
export class Gate {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  /** Waits for a place, which disposal gives back; undefined once `signal` is aborted. Never rejects. */
  async enter(signal: AbortSignal): Promise<Disposable | undefined> {
    if (signal.aborted) return undefined;
    if (this.#free > 0) this.#free--;
    else if (!await this.#turn(signal)) return undefined;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#leave();
        isHeld = false;
      },
    };
  }

  /** True when a place was handed over, false when the wait was ended. */
  async #turn(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const admit = () => resolve(true);
    this.#waiting.add(admit);
    using _ = onAbort(signal, () => {
      if (this.#waiting.delete(admit)) resolve(false);
    });
    return await promise;
  }

  #leave(): void {
    const [admit] = this.#waiting;
    if (admit === undefined) this.#free++;
    else {
      this.#waiting.delete(admit);
      admit();
    }
  }
}
