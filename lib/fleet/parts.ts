/** Work on many workers, in parts: whoever drives it may do other things at each yield. */
export type Parts<Result> = Generator<void, Result, void>;

/** So many workers make a part: a fraction of a millisecond. */
const PART = 256;

/** Calls `act` with each, a part after the other. */
export function* each<Item>(items: readonly Item[], act: (item: Item) => void): Parts<void> {
  for (let from = 0; from < items.length; from += PART) {
    yield;
    for (const item of items.slice(from, from + PART)) act(item);
  }
}

/** All parts at once. */
export function whole<Result>(parts: Parts<Result>): Result {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}
