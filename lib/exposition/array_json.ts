/** So many values make a piece. */
const PIECE = 100;

/**
 * The JSON of an array in pieces that are to be put together; `append` gives the values of one of the items. What is not
 * finite is null.
 */
export function* arrayJson<Item, Value extends string | number | null>(
  items: Iterable<Item>,
  append: (item: Item, values: Value[]) => void,
): Generator<string> {
  yield "[";
  let separator = "";
  let values: Value[] = [];
  for (const item of items) {
    append(item, values);
    if (values.length < PIECE) continue;
    yield separator + listed(values);
    separator = ",";
    values = [];
  }
  yield values.length === 0 ? "]" : `${separator}${listed(values)}]`;
}

function listed(values: readonly unknown[]): string {
  return JSON.stringify(values).slice(1, -1);
}
