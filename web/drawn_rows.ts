/** A row by its number, or so many rows that are not drawn. */
export type Piece = { readonly row: number } | { readonly gap: number; readonly key: string };

/** What stands in a table's body: the rows from `first` to before `last`, the one with the focus, and gaps for all others. */
export function drawn(
  { first, last, focused = first, count }: {
    first: number;
    last: number;
    focused: number | undefined;
    count: number;
  },
): readonly Piece[] {
  const rows = Array.from({ length: last - first }, (_, n) => first + n);
  if (focused < first) rows.unshift(focused);
  else if (focused >= last && focused < count) rows.push(focused);
  const pieces: Piece[] = [];
  let next = 0;
  for (const row of [...rows, count]) {
    if (row > next) {
      pieces.push({
        gap: row - next,
        key: row < first ? "above" : row === first ? "first" : row < count ? "last" : "below",
      });
    }
    if (row < count) pieces.push({ row });
    next = row + 1;
  }
  return pieces;
}
