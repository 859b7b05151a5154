import type { ChangeKind } from "./changes.ts";

/** How many changes are kept; newcomers have places of their own, so that they push no end of a worker out. */
const MAX_OTHERS = 100;
const MAX_NEW = 50;

/** The last of some changes, oldest first: as many as are kept. */
export function lastChanges<Change extends { readonly kind: ChangeKind }>(
  changes: readonly Change[],
): readonly Change[] {
  let others = 0;
  let newcomers = 0;
  const kept = changes.toReversed().filter(({ kind }) =>
    kind === "new" ? newcomers++ < MAX_NEW : others++ < MAX_OTHERS
  );
  return kept.length === changes.length ? changes : kept.toReversed();
}
