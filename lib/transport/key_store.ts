import type { ConnectionState } from "./connectivity.ts";

/** A key as a store holds it. */
export interface StoredKey {
  /** Empty where values are not asked for. */
  readonly value: string;
  /** Decimal; undefined for a key without a lease. */
  readonly lease: string | undefined;
  /** Another with each change of the value. */
  readonly version: string;
}

/** Which keys are kept, and whether their values are. */
export interface KeyRange {
  readonly prefix: string;
  readonly withValues: boolean;
}

/** Keys below some prefixes, kept equal to what a store has. */
export interface KeyStore {
  /** What it is, in a word: a label of `dynamo_metrics_store_connected`. */
  readonly kind: string;
  /** The same for people. */
  readonly name: string;
  /** What to say while it is not connected, if there is a better word for it. */
  readonly away?: string;
  /** True while the store is read; while false the keys are those last known. */
  readonly connected: boolean;
  /** The same, with why not and since when. */
  readonly state: ConnectionState;
  /** True once it was read, or could not be. */
  readonly tried: boolean;
  /** The live keys below one of the prefixes. */
  entries(prefix: string): ReadonlyMap<string, StoredKey>;
  /**
   * The first key of all that the store has, kept or not, from one on and before another, in the order of their bytes;
   * undefined if there is none. Rejects if the store cannot be asked.
   */
  firstKey(from: string, before: string): Promise<string | undefined>;
  /** Calls `listener` after every change of keys or connection until the result is disposed of; it should only take note. */
  listen(listener: () => void): Disposable;
}
