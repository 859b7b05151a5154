/** How many texts are remembered, and how long they may be. */
const MAX_TEXTS = 64;
const MAX_LENGTH = 1_024;

/**
 * A reader of texts that remembers what it made of the last few: those who scrape send the same ones each time. What it
 * gives is shared; nobody may change it.
 */
export function memo<Text extends string | null, T extends NonNullable<unknown> | null>(
  read: (text: Text) => T,
): (text: Text) => T {
  const known = new Map<Text, T>();
  return (text) => {
    let value = known.get(text);
    if (value !== undefined) return value;
    value = read(text);
    if (text !== null && text.length > MAX_LENGTH) return value;
    if (known.size === MAX_TEXTS) known.clear();
    known.set(text, value);
    return value;
  };
}
