import { registeredTargets } from "../discovery/registered_targets.ts";
import type { Target } from "../dynamo/target.ts";
import { logger } from "../log.ts";
import type { KeyStore } from "../transport/key_store.ts";

/** How many endpoints are named, and how often the store is asked for them. */
const MAX_NAMED = 10;
const ASK_MS = 10_000;

/** Knows what is registered while nobody is at a target: its name may be mistyped. */
export class Instead {
  readonly #store: KeyStore;
  readonly #target: Target;
  readonly #onFound: () => void;
  #names: readonly string[] = [];
  #askedAtMs = -Infinity;
  #isAsking = false;

  constructor(
    store: KeyStore,
    { target, onFound }: { readonly target: Target; readonly onFound: () => void },
  ) {
    this.#store = store;
    this.#target = target;
    this.#onFound = onFound;
  }

  /** The endpoints that had instances when the store was last asked; none if it could not be. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Asks the store, at most every ten seconds; to be called again and again while nobody is at the target. */
  ask(nowMs: number): void {
    if (this.#isAsking || nowMs - this.#askedAtMs < ASK_MS) return;
    this.#askedAtMs = nowMs;
    this.#isAsking = true;
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const before = this.#names;
    const { namespace } = this.#target;
    try {
      this.#names = await registeredTargets(this.#store, { namespace, limit: MAX_NAMED });
    } catch (error) {
      this.#names = [];
      logger("discovery").debug("Cannot ask what is registered", { cause: (error as Error).message });
    }
    this.#isAsking = false;
    if (this.#names.join() !== before.join()) this.#onFound();
  }
}
