/** A part of a whole, 0 to 1; undefined if either is not known, or there is no whole. */
export function ratioOf(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || !whole ? undefined : part / whole;
}
