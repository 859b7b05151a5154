/** Work on many workers, in parts: whoever drives it may do other things at each yield. */
export type Parts<Result> = Generator<void, Result, void>;

/** So many workers make a part: a fraction of a millisecond. */
export const PART = 256;

/** All parts at once. */
export function whole<Result>(parts: Parts<Result>): Result {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}
