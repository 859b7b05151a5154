import { registeredTargets } from "../discovery/registered_targets.ts";
import type { Target } from "../dynamo/target.ts";
import { logger } from "../log.ts";
import type { KeyStore } from "../transport/key_store.ts";

/** How many endpoints are named, and how long what was found stands. */
const MAX_NAMED = 10;
const STANDS_MS = 10_000;

/** Knows what is registered while nobody is at a target: its name may be mistyped. */
export class Instead {
  readonly #store: KeyStore;
  readonly #target: Target;
  readonly #onFound: () => void;
  #found: readonly string[] = [];
  #askedAtMs = -Infinity;

  constructor(
    store: KeyStore,
    { target, onFound }: { readonly target: Target; readonly onFound: () => void },
  ) {
    this.#store = store;
    this.#target = target;
    this.#onFound = onFound;
  }

  /** The endpoints that have instances, as they were found lately; to be called again while nobody is at the target. */
  names(nowMs: number): readonly string[] {
    if (nowMs - this.#askedAtMs >= STANDS_MS) {
      this.#askedAtMs = nowMs;
      void this.#ask();
    }
    return this.#found;
  }

  async #ask(): Promise<void> {
    const { namespace } = this.#target;
    try {
      const found = await registeredTargets(this.#store, { namespace, limit: MAX_NAMED });
      if (found.join() === this.#found.join()) return;
      this.#found = found;
      this.#onFound();
    } catch (error) {
      logger("discovery").debug("Cannot ask what is registered", { cause: (error as Error).message });
    }
  }
}
