import { onAbort } from "../timing.ts";

/**
 * Lets so many in at once; the others wait, and who came first is first. Those who come again because they had no luck
 * wait behind all others, and have half of the places at most: they keep nobody out.
 */
export class Gate {
  readonly #places: number;
  readonly #waiting = new Set<() => void>();
  readonly #waitingAgain = new Set<() => void>();
  #inside = 0;
  #insideAgain = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Waits for a place, which disposal gives back; undefined once `signal` is aborted. Never rejects. */
  async enter(
    signal: AbortSignal,
    { again = false }: { readonly again?: boolean } = {},
  ): Promise<Disposable | undefined> {
    if (signal.aborted || !await this.#turn(signal, again)) return undefined;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#inside--;
        if (again) this.#insideAgain--;
        this.#admit();
      },
    };
  }

  /** True when a place was handed over, false when the wait was ended. */
  async #turn(signal: AbortSignal, again: boolean): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const admit = () => resolve(true);
    const queue = again ? this.#waitingAgain : this.#waiting;
    queue.add(admit);
    this.#admit();
    using _ = onAbort(signal, () => {
      if (queue.delete(admit)) resolve(false);
    });
    return await promise;
  }

  #admit(): void {
    while (this.#inside < this.#places) {
      const again = this.#waiting.size === 0;
      if (again && this.#insideAgain >= this.#places / 2) return;
      const queue = again ? this.#waitingAgain : this.#waiting;
      const [admit] = queue;
      if (admit === undefined) return;
      queue.delete(admit);
      this.#inside++;
      if (again) this.#insideAgain++;
      admit();
    }
  }
}
